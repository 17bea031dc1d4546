"""A store whose network loses things by a script."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bps.core.errors import LeaseNotFound, NoSpace, OutcomeUnknown, Unavailable
from bps.core.ports import Lease, Read, Snapshot, Store
from bps.core.txn import Committed, Conflict, Txn
from tests.doubles.forwarding_store import ForwardingStore


class Fault(Enum):
    """What happens to one call. Reads know only `UNAVAILABLE`: any of these is that to them."""

    NONE = auto()
    LOSE_REPLY = auto()
    """A write is applied, but its reply is lost: OutcomeUnknown."""
    LOSE_REQUEST = auto()
    """A write never arrives, which the caller cannot know: OutcomeUnknown."""
    UNAVAILABLE = auto()
    """Certainly not applied."""
    NO_LEASE = auto()
    """The lease that a write names is gone: LeaseNotFound. Reads are not disturbed."""
    NO_SPACE = auto()
    """The store's quota is used up: NoSpace. Reads are not disturbed."""
    LAST_SPACE = auto()
    """A write is applied, and passes the quota by that: NoSpace."""


@dataclass(frozen=True, slots=True)
class ApplyLate:
    """A write: OutcomeUnknown now; it arrives after `calls` further calls have been answered."""

    calls: int


@dataclass(slots=True)
class _Delayed:
    txn: Txn
    calls: int


class FaultyStore(ForwardingStore):
    """Each next snapshot or commit meets the next fault of the script; without one, none.

    `met` are the faults that took effect, with the call that met them; `late` are the answers that
    the store gave to delayed transactions, which nobody received.
    """

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.script: deque[Fault | ApplyLate] = deque()
        self.met: list[tuple[str, Fault | ApplyLate]] = []
        self.late: list[Committed | Conflict | LeaseNotFound] = []
        self.commits_only = False
        self._delayed: list[_Delayed] = []

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        fault = Fault.NONE if self.commits_only else self._next("snapshot")
        if fault not in {Fault.NONE, Fault.NO_LEASE, Fault.NO_SPACE, Fault.LAST_SPACE}:
            raise Unavailable("No answer to a read.")
        snapshot = await super().snapshot(reads, serializable=serializable, at_least=at_least)
        await self._answered()
        return snapshot

    async def commit(self, txn: Txn) -> Committed | Conflict:
        fault = self._next("commit")
        if isinstance(fault, ApplyLate):
            self._delayed.append(_Delayed(txn, fault.calls))
            raise OutcomeUnknown("No answer to a write; it is still under way.")
        if fault is Fault.UNAVAILABLE:
            raise Unavailable("No member took the write.")
        if fault is Fault.NO_LEASE:
            raise LeaseNotFound("The lease is gone.")
        if fault is Fault.NO_SPACE:
            raise NoSpace("The quota is used up.")
        if fault is Fault.LOSE_REQUEST:
            raise OutcomeUnknown("No answer to a write; it got lost.")
        answer = await super().commit(txn)
        await self._answered()
        if fault is Fault.LOSE_REPLY:
            raise OutcomeUnknown("No answer to a write; its reply got lost.")
        if fault is Fault.LAST_SPACE:
            raise NoSpace("The quota is used up.")
        return answer

    async def lease_grant(self, ttl_s: int) -> Lease:
        lease = await super().lease_grant(ttl_s)
        await self._answered()
        return lease

    async def arrive(self) -> None:
        """Let everything that is still under way arrive now."""
        for delayed in self._delayed:
            delayed.calls = 0
        await self._deliver()

    def _next(self, call: str) -> Fault | ApplyLate:
        fault = self.script.popleft() if self.script else Fault.NONE
        if fault is not Fault.NONE:
            self.met.append((call, fault))
        return fault

    async def _answered(self) -> None:
        for delayed in self._delayed:
            delayed.calls -= 1
        await self._deliver()

    async def _deliver(self) -> None:
        due = [delayed for delayed in self._delayed if delayed.calls <= 0]
        self._delayed = [delayed for delayed in self._delayed if delayed.calls > 0]
        for delayed in due:
            try:
                self.late.append(await self.inner.commit(delayed.txn))
            except LeaseNotFound as error:
                self.late.append(error)
