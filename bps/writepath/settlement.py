"""Settling a write whose outcome is unknown.

A timeout is neither success nor failure, and reading back proves nothing: the write can land after
the read. So the operation's own record is created as ABORTED: whoever creates it first decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from bps.core.errors import FencedOut, LeadershipError, LeaseNotFound, OutcomeUnknown, StoreError
from bps.core.ports import Clock, Store
from bps.core.txn import Committed, Fence, Put, Txn, unchanged
from bps.writepath.command import OperationId, OpRecord, WriteAuthority

_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Aborted:
    """The original can never commit; a retry compares the ABORTED record's `mod_revision`."""

    mod_revision: int


@dataclass(frozen=True, slots=True)
class Done:
    """The original was applied; this is its record, written at `mod_revision` with the rest."""

    record: OpRecord
    mod_revision: int


async def settle(
    store: Store,
    clock: Clock,
    authority: WriteAuthority,
    operation: OperationId,
    *,
    fence: Fence,
    expected_mod_revision: int,
    deadline_s: float,
) -> Aborted | Done:
    """Find out, or decide, what becomes of `operation`; one round trip an attempt.

    `fence` and `expected_mod_revision` (of the op record; 0: absent) are those that the original
    transaction compared. `deadline_s` is an instant of the monotonic clock.

    Raises:
        OutcomeUnknown: no answer until the deadline, or no right to ask for one any more.
        FencedOut: the fence is gone and the original was not applied, so it never will be.
    """
    aborted = OpRecord(state="ABORTED", request=operation.request, result=None).encode()
    renew = False
    while True:
        try:
            lease_id = await authority.ops_lease_id(renew=renew)
            answer = await store.commit(
                Txn(
                    (fence.compare, unchanged(operation.key, expected_mod_revision)),
                    (Put(operation.key, aborted, lease_id),),
                )
            )
            break
        except (StoreError, LeadershipError) as error:
            # Whatever the failure, the original may be applied: nothing else may be said of it.
            if clock.monotonic_s() >= deadline_s or isinstance(error, LeadershipError):
                msg = f"No answer tells whether operation {operation.name} was applied."
                raise OutcomeUnknown(msg, op=operation.name) from error
            renew = isinstance(error, LeaseNotFound)
        await clock.sleep(_PAUSE_S)
    if isinstance(answer, Committed):
        return Aborted(answer.revision)
    present = answer.present[operation.key]
    if present is not None and present.mod_revision != expected_mod_revision:
        record = OpRecord.decode(present.value, key=present.key)
        at = present.mod_revision
        return Done(record, at) if record.state == "DONE" else Aborted(at)
    msg = (
        f"The leadership was lost before operation {operation.name} was applied; it never will be."
    )
    raise FencedOut(msg, op=operation.name)
