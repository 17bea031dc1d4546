"""Was an older state of the store restored? Only what is kept outside of it can tell (R13)."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from bps.checkpoints.accepted import AcceptedRollback, accepted_rollbacks, is_signed_by
from bps.checkpoints.mirror import Mirror
from bps.checkpoints.mirror_lines import Mirrored
from bps.checkpoints.model import CheckpointTip, hash_of
from bps.core import keys
from bps.core.errors import StoreRolledBack
from bps.core.ports import Key, Store
from bps.core.txn import Compare, unchanged

ACCEPT: Final = (
    "Find out who restored which snapshot. If it was meant: `bps doctor --accept-rollback --reason "
    "TEXT` (docs/playbooks/restored-snapshot.md)."
)

_log = logging.getLogger(__name__)


async def check_not_rolled_back(store: Store, last: Mirrored | None) -> Compare | None:
    """That etcd still holds the last mirrored checkpoint, byte for byte. One round trip.

    The answer is what to compare in a transaction so that it is refused where this is not so any
    more; None where nothing was mirrored yet.

    Raises:
        StoreRolledBack: it lacks it or holds another one; facts: checkpoint, tip.
    """
    if last is None:
        return None
    wanted = [Key(keys.checkpoint(last.seq)), Key(keys.CHECKPOINT_TIP)]
    stored, stored_tip = (await store.snapshot(wanted)).answers
    tip = CheckpointTip.decode(stored_tip[0].value).seq if stored_tip else 0
    if tip < last.seq or not stored:
        msg = (
            f"The mirror holds checkpoint {last.seq}, but etcd's chain ends at {tip}: an older "
            "state of the store was restored, or checkpoints were removed."
        )
        raise StoreRolledBack(msg, checkpoint=str(last.seq), tip=str(tip))
    if stored[0].value != last.stored:
        msg = (
            f"etcd's checkpoint {last.seq} is not the one in the mirror: an older state of the "
            "store was restored and written on, or history was rewritten."
        )
        raise StoreRolledBack(msg, checkpoint=str(last.seq), tip=str(tip))
    return unchanged(stored[0].key, stored[0].mod_revision)


async def agree(store: Store, mirror: Mirror) -> Compare | None:
    """As `check_not_rolled_back`; but what an accepted rollback lost leaves the mirror first.

    The lines that the store does not hold move into `lost-{seq}-{hash}.ndjson` beside, and the
    mirror goes on from the last one that both hold.

    Raises:
        StoreRolledBack: no accepted rollback covers the mirror's last checkpoint, or it is signed
            by a key that this mirror does not trust, or the store went back further since.
        Unavailable: the mirror's disk refuses.
    """
    last = mirror.last
    try:
        return await check_not_rolled_back(store, last)
    except StoreRolledBack as error:
        accepted = None if last is None else await _covering(store, mirror, last)
        if accepted is None or last is None:
            raise error.advising(ACCEPT) from None
    offset, common = await _common(store, mirror)
    archive = f"lost-{last.seq}-{last.hash[:16]}.ndjson"
    cutting = asyncio.create_task(asyncio.to_thread(mirror.cut, offset, common, archive))
    try:
        await asyncio.shield(cutting)
    except asyncio.CancelledError:
        # The thread goes on in any case, and the file must not be closed under it.
        await asyncio.wait([cutting])
        raise
    _log.warning("%s; the mirror's lost part is in %s", accepted.told, archive)
    return await check_not_rolled_back(store, mirror.last)


async def _covering(store: Store, mirror: Mirror, last: Mirrored) -> AcceptedRollback | None:
    """The newest accepted rollback that covers `last` and is signed by a key of this mirror."""
    distrusted: AcceptedRollback | None = None
    for accepted, kv in await accepted_rollbacks(store):
        if not accepted.covers(last.seq, last.hash):
            continue
        key = mirror.trusted(accepted.key_id)
        if key is not None and is_signed_by(kv, key):
            await _check_accepted_end(store, accepted, last)
            return accepted
        distrusted = distrusted or accepted
    if distrusted is None:
        return None
    msg = (
        f"Rollback {distrusted.n} covers checkpoint {last.seq}, but key {distrusted.key_id}, "
        "which this mirror does not trust, is said to have signed it."
    )
    raise StoreRolledBack(msg, checkpoint=str(last.seq)).advising(
        "If the key is yours, add its line to `trusted-keys` of the mirror."
    )


async def _check_accepted_end(store: Store, accepted: AcceptedRollback, last: Mirrored) -> None:
    """What was accepted is a chain that ends there: with a shorter one the record was copied."""
    if accepted.seq == 0:
        return
    stored = (await store.snapshot([Key(keys.checkpoint(accepted.seq))])).answers[0]
    if stored and hash_of(stored[0].value) == accepted.hash:
        return
    msg = (
        f"Rollback {accepted.n} was accepted to checkpoint {accepted.seq}, which etcd lacks: it "
        "went back further since."
    )
    raise StoreRolledBack(msg, checkpoint=str(last.seq)).advising(ACCEPT)


async def _common(store: Store, mirror: Mirror) -> tuple[int, Mirrored | None]:
    """Where the part ends that the store holds too, and its last checkpoint; by bisection.

    Both are chains, so that what is before a common checkpoint is common. Cost: a round trip for
    each halving of the file, 35 for 16 GB.
    """
    begin, end, common = 0, mirror.size_bytes, None
    while begin < end:
        line = mirror.line_at((begin + end) // 2)
        wanted = Key(keys.checkpoint(line.mirrored.seq))
        stored = (await store.snapshot([wanted])).answers[0]
        if stored and stored[0].value == line.mirrored.stored:
            begin, common = line.end, line.mirrored
        else:
            end = line.start
    return begin, common
