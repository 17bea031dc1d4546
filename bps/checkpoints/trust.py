"""The state of trust, for `bps doctor`: keys, checkpoints, and the mirror's word on the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bps.checkpoints.accepted import accepted_rollbacks
from bps.checkpoints.mirror import Mirror
from bps.checkpoints.model import CheckpointTip
from bps.checkpoints.proof import read_checkpoint
from bps.core import keys
from bps.core.errors import BpsError, IntegrityError, StoreRolledBack
from bps.core.ids import SERVICE_PRINCIPAL
from bps.core.ports import Key, Store
from bps.keyring.model import Purpose
from bps.keyring.read import read_registry
from bps.keyring.registry import CUSTODY_HOLDERS, Registry
from bps.keyring.statement import Signer
from bps.plans.cloudevents import rfc3339

Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class TrustCheck:
    """One row. `action` is what to do where it is not ok."""

    name: str
    status: Status
    detail: str
    action: str


async def trust_in_store(store: Store) -> list[TrustCheck]:
    """The key registry and the newest checkpoint, accepted rollbacks. At most five trips."""
    try:
        registry = await read_registry(store)
    except IntegrityError as error:
        return [TrustCheck("key registry", "failed", error.message, "Run `bps verify`.")]
    rows = [_registry(registry), await _checkpoints(store, registry)]
    return [*rows, *await _rollbacks(store)]


def trust_in_sidecar(
    signer: Signer | None, registry: Registry | None, problem: BpsError | None, diverged: set[str]
) -> list[TrustCheck]:
    """The signing key of a running sidecar, and what kept it from signing.

    `registry` None: it could not be read, which another check says.
    """
    rows = [_signing_key(signer, registry, problem)]
    if diverged:
        plans = ", ".join(sorted(diverged)[:10])
        text = f"{len(diverged)} plans lost what a checkpoint names: {plans}"
        rows.append(TrustCheck("plan logs", "failed", text, "Run `bps verify` on each."))
    return rows


def _signing_key(
    signer: Signer | None, registry: Registry | None, problem: BpsError | None
) -> TrustCheck:
    name = "signing key"
    if signer is None:
        detail, action = "none: this sidecar writes no checkpoints", "Name a signing key file."
        return TrustCheck(name, "warning", detail, action)
    key = signer.public
    known = registry.keys.get(key.key_id) if registry else None
    if registry is not None and known is None:
        detail = f"{key.key_id}: this sidecar's signing key is not registered"
        action = (
            f"Run `echo {key.text} | bps keys add - --purpose {Purpose.CHECKPOINT} "
            f"--holder {SERVICE_PRINCIPAL}`"
        )
        if registry.in_custody:
            action += (
                f" with an `--approval` of each of {registry.approvals_needed} holders "
                "(docs/keys.md)"
            )
        status: Status = "failed" if problem else "warning"
        return TrustCheck(name, status, detail, f"{action}, before this sidecar leads.")
    if known is not None and not known.may(Purpose.CHECKPOINT):
        detail = f"{key.key_id}: revoked, or not for checkpoints"
        action = "Name a file with another key (`signing_key_file`), and restart."
        return TrustCheck(name, "failed" if problem else "warning", detail, action)
    if problem is not None:
        action = "See the code of the problem: `bps explain`."
        return TrustCheck(name, "failed", f"{key.key_id}: {problem.message}", action)
    return TrustCheck(name, "ok", key.key_id, "")


def trust_in_mirror(mirror: Mirror, problem: BpsError | None) -> TrustCheck:
    """The mirror of a running sidecar; only the last part of its path is shown."""
    last = f"checkpoint {mirror.last.seq}" if mirror.last else "no checkpoint yet"
    if problem is not None:
        what = "rolled back" if isinstance(problem, StoreRolledBack) else "does not follow"
        action = problem.next_action or "Find out who changed the store; see docs/checkpoints.md."
        return TrustCheck("mirror", "failed", f"{what}: {problem.message}", action)
    if not mirror.on_disk:
        detail = f"none on disk: trust on first use; in memory {last}"
        return TrustCheck("mirror", "warning", detail, "Name a mirror_dir in the configuration.")
    return TrustCheck("mirror", "ok", f"{mirror.label}: {last}, agrees", "")


def _registry(registry: Registry) -> TrustCheck:
    valid = sum(key.valid for key in registry.keys.values())
    holders = len(registry.holders)
    detail = f"{valid} valid key{_s(valid)}, {holders} holder{_s(holders)}"
    if registry.in_custody:
        detail += f"; {registry.approvals_needed} must approve a change"
        return TrustCheck("key registry", "ok", detail, "")
    detail += f" of {CUSTODY_HOLDERS}; until then an operator's word changes it"
    return TrustCheck("key registry", "warning", detail, "Register three holders (`bps keys add`).")


def _s(count: int) -> str:
    return "" if count == 1 else "s"


async def _rollbacks(store: Store) -> list[TrustCheck]:
    """The last accepted rollback; no row where there never was one."""
    try:
        found = await accepted_rollbacks(store)
    except IntegrityError as error:
        return [TrustCheck("rollbacks", "failed", error.message, "Find out who wrote the record.")]
    return [TrustCheck("rollbacks", "ok", found[0][0].told, "")] if found else []


async def _checkpoints(store: Store, registry: Registry) -> TrustCheck:
    stored = (await store.snapshot([Key(keys.CHECKPOINT_TIP)])).answers[0]
    if not stored:
        action = "Run `bps serve`: it writes them while it leads."
        return TrustCheck("checkpoints", "warning", "none yet", action)
    try:
        tip = CheckpointTip.decode(stored[0].value)
        last = await read_checkpoint(store, tip.seq)
    except BpsError as error:
        action = "Compare with a mirror: `bps verify --mirror DIRECTORY`."
        return TrustCheck("checkpoints", "failed", error.message, action)
    holder = registry.keys[last.key_id].holder if last.key_id in registry.keys else "unknown"
    detail = f"{last.seq} of {rfc3339(last.time_ms)}, signed by {last.key_id} ({holder}), verified"
    return TrustCheck("checkpoints", "ok", detail, "")
