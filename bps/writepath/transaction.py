"""The transaction of a decision: fence, operation record, what was decided on, what is written."""

from __future__ import annotations

from typing import TypeVar

from bps.core.codec import Record
from bps.core.txn import KV, Compare, Fence, Put, Txn, unchanged
from bps.writepath.command import Commit, Decision, OperationId, OpRecord

R = TypeVar("R", bound=Record)


def transaction_of(
    decided: Decision[R],
    operation: OperationId,
    *,
    fence: Fence,
    recorded: KV | None,
    lease_id: int,
    witness: Compare | None,
) -> Txn:
    """What carries `decided` out and records `operation`, whose record so far is `recorded`."""
    operations = decided.operations if isinstance(decided, Commit) else ()
    done = OpRecord(state="DONE", request=operation.request, result=decided.result.stored_fields())
    return Txn(
        (
            fence.compare,
            unchanged(operation.key, recorded.mod_revision if recorded else 0),
            *decided.compares,
            *([] if witness is None else [witness]),
        ),
        (*operations, Put(operation.key, done.encode(), lease_id)),
    )
