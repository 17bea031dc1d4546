"""The next checkpoint: a pure decision, run by the leader's write path (R10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.checkpoints.model import (
    MAX_HEADS,
    NO_CHECKPOINT,
    Checkpoint,
    CheckpointedHead,
    CheckpointResult,
    CheckpointTip,
    PlanCheckpoint,
    checkpoint_at,
    hash_of,
)
from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.errors import ChainBroken, IntegrityError, WrongState
from bps.core.ports import Key, Read
from bps.core.txn import KV, Condition, Put, absent, unchanged
from bps.keyring.model import Purpose
from bps.keyring.registry import key_at
from bps.keyring.statement import Signer
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class AdvanceCheckpoint:
    """Command: sign the heads and keys that changed.

    `heads` (at most 100) and `keys` are what the shell saw change, up to `revision`; `complete`
    says that nothing else had changed by then. `nonce` is random, and names the operation.
    """

    principal: str
    nonce: str
    signer: Signer
    heads: Mapping[str, CheckpointedHead]
    keys: Mapping[str, str]
    revision: int
    complete: bool

    result_type: ClassVar[type[CheckpointResult]] = CheckpointResult
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        return operation(
            self.principal, f"checkpoint-{self.nonce}", "advance_checkpoint", {"nonce": self.nonce}
        )

    def reads(self) -> Sequence[Read]:
        """The tip, the signing key, and what was checkpointed of each plan; then one more round."""
        index = [Key(keys.checkpointed(plan)) for plan in self.heads]
        return [Key(keys.CHECKPOINT_TIP), Key(keys.key(self.signer.public.key_id)), *index]

    def decide(self, view: View, now_ms: int) -> Decision[CheckpointResult]:
        """Commit, or Noop where nothing is left to sign.

        A plan whose log no longer holds the event that an earlier checkpoint named is left out and
        reported: signing it would make what was done to it look right.

        Raises:
            WrongState: the signing key is not registered for checkpoints.
            ChainBroken: the tip names another checkpoint than is stored.
        """
        stored_tip, signing_key = view.get_all(
            [keys.CHECKPOINT_TIP, keys.key(self.signer.public.key_id)]
        )
        _check_signer(signing_key, self.signer)
        tip = CheckpointTip.decode(stored_tip.value) if stored_tip else None
        plans = tuple(self.heads)[:MAX_HEADS]
        index = dict(zip(plans, view.get_all(map(keys.checkpointed, plans)), strict=True))
        before, damaged = _readable(index)
        named = [keys.PlanKeys(plan).event(last.seq) for plan, last in before.items()]
        last_key = [] if tip is None else [keys.checkpoint(tip.seq)]
        found = view.get_all([*named, *last_key])
        if tip is not None:
            _check_tip(tip, found[-1])
        held = dict(zip(before, found[: len(named)], strict=True))
        diverged = damaged + [
            plan for plan in before if not _extends(before[plan], held[plan], self.heads[plan])
        ]
        heads = {
            plan: self.heads[plan]
            for plan in plans
            if plan not in diverged
            and (plan not in before or self.heads[plan].seq > before[plan].seq)
        }
        seq = tip.seq + 1 if tip else 1
        if not heads and not self.keys:
            result = CheckpointResult(
                seq=seq - 1, hash=tip.hash if tip else NO_CHECKPOINT, heads=0, diverged=diverged
            )
            return Noop(result, "nothing has changed since the last checkpoint")
        # What is left out stays to be named by the next leader too.
        complete = self.complete and not diverged
        revision = self.revision if complete else tip.revision if tip else 0
        checkpoint = Checkpoint.signed(
            self.signer,
            seq=seq,
            nonce=self.nonce,
            prev=tip.hash if tip else NO_CHECKPOINT,
            revision=max(revision, tip.revision if tip else 0),
            time_ms=now_ms,
            heads=heads,
            keys=dict(self.keys),
        )
        compares: tuple[Condition, ...] = (
            unchanged(keys.CHECKPOINT_TIP, stored_tip.mod_revision if stored_tip else 0),
            unchanged(keys.key(checkpoint.key_id), signing_key.mod_revision if signing_key else 0),
            absent(keys.checkpoint(seq)),
        )
        return _commit(checkpoint, compares, diverged)


def _commit(
    checkpoint: Checkpoint, compares: tuple[Condition, ...], diverged: list[str]
) -> Commit[CheckpointResult]:
    stored = checkpoint.encode()
    name = hash_of(stored)
    tip = CheckpointTip(seq=checkpoint.seq, hash=name, revision=checkpoint.revision)
    index = (
        Put(
            keys.checkpointed(plan),
            PlanCheckpoint(checkpoint=checkpoint.seq, seq=head.seq, hash=head.hash).encode(),
        )
        for plan, head in checkpoint.heads.items()
    )
    return Commit(
        compares,
        (
            Put(keys.checkpoint(checkpoint.seq), stored),
            Put(keys.CHECKPOINT_TIP, tip.encode()),
            *index,
        ),
        CheckpointResult(
            seq=checkpoint.seq, hash=name, heads=len(checkpoint.heads), diverged=diverged
        ),
    )


def _readable(index: Mapping[str, KV | None]) -> tuple[dict[str, PlanCheckpoint], list[str]]:
    """What was checkpointed of each plan, and the plans whose index record was damaged."""
    found: dict[str, PlanCheckpoint] = {}
    damaged: list[str] = []
    for plan, kv in index.items():
        if kv is not None:
            try:
                found[plan] = PlanCheckpoint.decode(kv.value)
            except IntegrityError:
                damaged.append(plan)
    return found, damaged


def _check_signer(stored: KV | None, signer: Signer) -> None:
    key = key_at(stored) if stored else None
    if key is None or not key.may(Purpose.CHECKPOINT) or key.public_key != signer.public.text:
        key_id = signer.public.key_id
        msg = f"Key {key_id} is not registered to sign checkpoints, or is revoked."
        raise WrongState(msg, key_id=key_id).advising(
            "Register it with `bps keys add --purpose checkpoint`, or use another signing key."
        )


def _check_tip(tip: CheckpointTip, last: KV | None) -> None:
    if last is None or hash_of(last.value) != tip.hash:
        what = "is missing" if last is None else "was changed"
        msg = f"Checkpoint {tip.seq}, the last one, {what}."
        raise ChainBroken(msg, checkpoint=str(tip.seq))
    checkpoint_at(tip.seq, last.value)


def _extends(before: PlanCheckpoint, event: KV | None, head: CheckpointedHead) -> bool:
    """Whether the log with this `head` still holds the event that `before` names."""
    if event is None or sha256_hex(event.value) != before.hash:
        return False
    return head.seq > before.seq or (head.seq, head.hash) == (before.seq, before.hash)
