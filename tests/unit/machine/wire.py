"""The way of one leader to the store: what is sent over it is lost, late or held as it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from bps.core import keys
from bps.core.errors import CapabilityMissing, LeaseNotFound, OutcomeUnknown, Unavailable
from bps.core.ports import Lease, Page, Read, Snapshot, Store, WatchBatch
from bps.core.txn import Committed, Conflict, Put, Txn
from bps.writepath.command import OpRecord
from tests.doubles.forwarding_store import ForwardingStore

T = TypeVar("T")

OPS = keys.ROOT + b"ops/"


class Fate(StrEnum):
    """What becomes of one write."""

    PASS = "pass"
    LOSE_REPLY = "lose_reply"
    LOSE_REQUEST = "lose_request"
    UNAVAILABLE = "unavailable"
    NO_LEASE = "no_lease"
    LATE = "late"
    """Unknown now; it arrives when it is delivered, after whatever came before."""
    HOLD_REQUEST = "hold_request"
    """The leader stops between its decision and its transaction."""
    HOLD_REPLY = "hold_reply"
    CUT = "cut"
    """Applied; neither its reply nor anything else gets through any more."""
    SEVER = "sever"
    """Neither this write nor anything else gets through any more."""


@dataclass(slots=True)
class Sent:
    """A transaction of the write path. `fence` is its sender's term, whatever it compares."""

    number: int
    txn: Txn
    fence: int
    arrive: Callable[[Txn], Awaitable[Committed | Conflict]]


@dataclass(frozen=True, slots=True)
class Applied:
    """A transaction that the store took."""

    sent: Sent
    revision: int


@dataclass(slots=True)
class Post:
    """All that was sent by anybody, what is still under way, and what the store took."""

    numbers: int = 0
    letters: list[Sent] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)

    async def deliver(self, at: int) -> None:
        """Let one late transaction arrive."""
        if self.letters:
            sent = self.letters.pop(at % len(self.letters))
            try:
                await self.apply(sent)
            except LeaseNotFound:
                return

    async def apply(self, sent: Sent) -> Committed | Conflict:
        answer = await sent.arrive(sent.txn)
        if isinstance(answer, Committed):
            self.applied.append(Applied(sent, answer.revision))
        return answer


class Wire(ForwardingStore):
    """One leader's store. `fates` meet its next writes; a cut wire answers nothing."""

    def __init__(self, inner: Store, post: Post) -> None:
        super().__init__(inner)
        self.fates: deque[Fate] = deque()
        self.cut = False
        self.holds_keepalives = False
        #: The create revision that this leader's term was won with.
        self.fence = 0
        self.in_flight = 0
        self._post = post
        self._gates: list[asyncio.Event] = []

    @property
    def holds(self) -> bool:
        """Whether something waits to be let through."""
        return bool(self._gates)

    def go_on(self) -> None:
        """Let through what is held."""
        self.holds_keepalives = False
        for gate in self._gates:
            gate.set()
        self._gates.clear()

    async def snapshot(self, reads: Sequence[Read], **kinds: Any) -> Snapshot:
        self._check()
        return await self._through(super().snapshot(reads, **kinds))

    async def page(self, start: bytes, end: bytes, **kinds: Any) -> Page:
        self._check()
        return await self._through(super().page(start, end, **kinds))

    async def commit(self, txn: Txn) -> Committed | Conflict:
        self._check()
        self._post.numbers += 1
        sent = Sent(self._post.numbers, txn, self.fence, self._arrive)
        if not is_of_the_write_path(txn):
            return await self._through(self.inner.commit(txn))
        fate = self.fates.popleft() if self.fates else Fate.PASS
        match fate:
            case Fate.LATE:
                self._post.letters.append(sent)
                raise OutcomeUnknown("No answer to a write; it is still under way.")
            case Fate.UNAVAILABLE:
                raise Unavailable("No member took the write.")
            case Fate.NO_LEASE:
                raise LeaseNotFound("The lease is gone.")
            case Fate.LOSE_REQUEST:
                raise OutcomeUnknown("No answer to a write; it got lost.")
            case Fate.SEVER:
                self.cut = True
                raise Unavailable("No member answers.")
            case Fate.HOLD_REQUEST:
                await self._gate()
        answer = await self._post.apply(sent)
        if fate is Fate.HOLD_REPLY:
            await self._gate()
        self.cut = self.cut or fate is Fate.CUT
        if fate in {Fate.LOSE_REPLY, Fate.CUT}:
            raise OutcomeUnknown("No answer to a write; its reply got lost.")
        return answer

    async def lease_grant(self, ttl_s: int) -> Lease:
        self._check()
        return await self._through(super().lease_grant(ttl_s))

    async def lease_keepalive(self, lease_id: int) -> int:
        self._check()
        ttl_s = await self._through(super().lease_keepalive(lease_id))
        if self.holds_keepalives:
            await self._gate()
        return ttl_s

    async def lease_revoke(self, lease_id: int) -> None:
        self._check()
        await self._through(super().lease_revoke(lease_id))

    def watch(self, *_: object, **__: object) -> AsyncGenerator[WatchBatch, None]:
        raise CapabilityMissing("Nothing is watched in virtual time.")

    async def _arrive(self, txn: Txn) -> Committed | Conflict:
        return await self._through(self.inner.commit(txn))

    def _check(self) -> None:
        if self.cut:
            raise Unavailable("No member answers.")

    async def _gate(self) -> None:
        gate = asyncio.Event()
        self._gates.append(gate)
        await gate.wait()

    async def _through(self, call: Awaitable[T]) -> T:
        self.in_flight += 1
        try:
            return await call
        finally:
            self.in_flight -= 1


def op_keys(txn: Txn) -> list[bytes]:
    """The operation records that it writes or compares."""
    touched = [*(put.key for put in txn.operations), *(each.key for each in txn.compares)]
    return [key for key in dict.fromkeys(touched) if key.startswith(OPS)]


def is_of_the_write_path(txn: Txn) -> bool:
    """Whether it is a command's or a settlement's: neither an election nor an ops lease."""
    electing = {keys.LEADER_HOLDER, keys.OPS_LEASE}
    return not any(operation.key in electing for operation in txn.operations)


def aborts(txn: Txn) -> bool:
    """Whether it is a settlement."""
    (put, *more) = txn.operations
    if more or not isinstance(put, Put) or not put.key.startswith(OPS):
        return False
    return OpRecord.decode(put.value).state == "ABORTED"
