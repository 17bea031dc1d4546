"""Was an older state of the store restored? Only what is kept outside of it can tell (R13)."""

from __future__ import annotations

from bps.checkpoints.mirror import Mirrored
from bps.checkpoints.model import CheckpointTip
from bps.core import keys
from bps.core.errors import StoreRolledBack
from bps.core.ports import Key, Store
from bps.core.txn import Compare, unchanged


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
