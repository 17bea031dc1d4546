"""The witness: a condition that only a store that was rolled back does not meet."""

from __future__ import annotations

from bps.core.errors import StoreRolledBack
from bps.core.txn import Compare, Conflict


def check_witness(witness: Compare | None, conflict: Conflict) -> None:
    """Raises StoreRolledBack where the transaction was refused for want of the witness."""
    held = None if witness is None else conflict.present[witness.key]
    if witness is not None and (held is None or held.mod_revision != witness.value):
        msg = (
            f"etcd lacks {witness.key.decode()} as it was written: an older state of the store was "
            "restored, or history was rewritten. Nothing was written."
        )
        raise StoreRolledBack(msg, key=witness.key.decode())
