"""What checkpoints say of one plan: claims that its log must bear out (R10).

From the index of the plan to its checkpoint, to the signature, to the key registry: one round trip
to find the checkpoint and one to judge it, whatever else the store holds.
"""

from __future__ import annotations

from pathlib import Path

from bps.checkpoints.mirror_lines import Mirrored, mirrored
from bps.checkpoints.model import (
    Checkpoint,
    CheckpointTip,
    PlanCheckpoint,
    checkpoint_at,
    hash_of,
    signature_verifies,
)
from bps.checkpoints.rollback import check_not_rolled_back
from bps.core import keys
from bps.core.chain import Claim
from bps.core.errors import BadSignature, ChainBroken, NotFound
from bps.core.ports import Key, Store
from bps.core.txn import KV
from bps.keyring.model import KeyRecord, Purpose
from bps.keyring.registry import key_at


async def checkpoint_claims(store: Store, plan: str) -> list[Claim]:
    """What the last checkpoint that names `plan` says of its log; empty where none does yet.

    Cost: two round trips.

    Raises:
        ChainBroken: the index names a checkpoint that is missing or does not name the plan so.
        BadSignature: the checkpoint is not signed by a key of the registry.
    """
    wanted = [Key(keys.checkpointed(plan)), Key(keys.CHECKPOINT_TIP)]
    stored, stored_tip = (await store.snapshot(wanted)).answers
    if not stored:
        return []
    index = PlanCheckpoint.decode(stored[0].value)
    tip = CheckpointTip.decode(stored_tip[0].value) if stored_tip else None
    if tip is None or tip.seq < index.checkpoint:
        msg = f"{plan} is named by checkpoint {index.checkpoint}, but the chain ends before it."
        raise ChainBroken(msg, plan=plan, checkpoint=str(index.checkpoint))
    checkpoint = await read_checkpoint(store, index.checkpoint)
    head = checkpoint.heads.get(plan)
    if head is None or (head.seq, head.hash) != (index.seq, index.hash):
        msg = f"Checkpoint {index.checkpoint} does not name {plan} as its index says."
        raise ChainBroken(msg, plan=plan, checkpoint=str(index.checkpoint))
    return [Claim(head.seq, head.hash, f"checkpoint {checkpoint.seq}")]


async def read_checkpoint(store: Store, seq: int) -> Checkpoint:
    """One checkpoint, its signature checked against the registry. Two round trips.

    Raises:
        NotFound: there is none with this number, nor was one.
        ChainBroken: it was there and is missing, or the tip names other bytes.
        BadSignature: see `check_signature`.
    """
    wanted = [Key(keys.checkpoint(seq)), Key(keys.CHECKPOINT_TIP)]
    stored, stored_tip = (await store.snapshot(wanted)).answers
    tip = CheckpointTip.decode(stored_tip[0].value) if stored_tip else None
    if not stored:
        if tip is None or tip.seq < seq:
            raise NotFound(f"There is no checkpoint {seq}.", checkpoint=str(seq))
        raise ChainBroken(f"Checkpoint {seq} is missing.", checkpoint=str(seq))
    checkpoint = checkpoint_at(seq, stored[0].value)
    if tip is None or tip.seq < seq or (tip.seq == seq and tip.hash != hash_of(stored[0].value)):
        msg = f"Checkpoint {seq} is not the one that the tip of the chain names."
        raise ChainBroken(msg, checkpoint=str(seq))
    key = (await store.snapshot([Key(keys.key(checkpoint.key_id))])).answers[0]
    record, written = (key_at(key[0]), key[0].mod_revision) if key else (None, 0)
    check_signature(checkpoint, stored[0], record, written)
    return checkpoint


def check_signature(
    checkpoint: Checkpoint, stored: KV, key: KeyRecord | None, key_written: int
) -> None:
    """That a registered key, valid when they were stored, signed these bytes for checkpoints.

    `key_written` is the revision that last wrote the key's record. Revisions are compared, not
    times: whoever has a revoked key can date a checkpoint back, and clocks differ.

    Raises:
        BadSignature: the key is unknown, was not for checkpoints, was revoked, or did not sign it.
    """
    why = None
    if key is None:
        why = "a key that is not in the registry"
    elif Purpose.CHECKPOINT not in key.purposes:
        why = "a key that is not for checkpoints"
    elif key.revoked_ms is not None and stored.mod_revision > key_written:
        why = "a key that was revoked before"
    elif not signature_verifies(stored.value, key.public):
        why = "nobody: its signature does not verify"
    if why is not None:
        raise BadSignature(
            f"Checkpoint {checkpoint.seq} is signed by {why}.",
            checkpoint=str(checkpoint.seq),
            key_id=checkpoint.key_id,
        )


async def witnesses(store: Store, plan: str, mirror: Path | None = None) -> list[Claim]:
    """All that vouches for a plan's log: its last checkpoint, and with `mirror` every one there.

    Cost: two round trips; with a mirror one more, and reading its file from end to end.

    Raises:
        StoreRolledBack: etcd does not hold the mirror's last checkpoint.
        ChainBroken, BadSignature: the checkpoint cannot be trusted, or the mirror is no chain.
        ConfigError, MalformedRecord: the mirror cannot be read.
    """
    claims = [] if mirror is None else await _mirror_claims(store, plan, mirror)
    return [*claims, *await checkpoint_claims(store, plan)]


async def _mirror_claims(store: Store, plan: str, mirror: Path) -> list[Claim]:
    claims: list[Claim] = []
    last: Mirrored | None = None
    for checkpoint, stored in mirrored(mirror):
        if last is not None and (last.seq + 1, last.hash) != (checkpoint.seq, checkpoint.prev):
            msg = f"The mirror is no chain at checkpoint {checkpoint.seq}."
            raise ChainBroken(msg, checkpoint=str(checkpoint.seq))
        last = Mirrored(checkpoint.seq, stored)
        if head := checkpoint.heads.get(plan):
            claims.append(Claim(head.seq, head.hash, f"mirrored checkpoint {checkpoint.seq}"))
    await check_not_rolled_back(store, last)
    return claims
