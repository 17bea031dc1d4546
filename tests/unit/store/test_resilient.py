"""A dead store is not hammered, its return makes no storm, and no mutation is sent twice."""

# ruff: noqa: ARG002 - the scripted store ignores what it is asked
from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from grpc import StatusCode

from bps.clock import SystemClock
from bps.core.errors import BpsError, NotFound, OutcomeUnknown, Unavailable
from bps.core.ports import Key, Lease, Read, Snapshot, Store
from bps.core.txn import Committed, Conflict, Put, Txn
from bps.store.breaker import FAILURES, State
from bps.store.failures import Refusal, classify
from bps.store.memory import MemoryStore
from bps.store.resilient import ResilientStore
from bps.store.rotation import rotating
from tests.asynchronous import asynchronous, eventually
from tests.doubles.forwarding_store import ForwardingStore

READ = [Key(b"/k")]
READERS = 500
BOUND_S = 0.5


@dataclass
class Mortal(ForwardingStore):
    """Reads rotate as in the adapters; each attempt is counted in `calls` with its instant."""

    inner: Store
    dead: bool = False
    calls: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def snapshot(
        self,
        reads: Sequence[Read],
        *,
        serializable: bool = False,
        at_least: int = 0,
    ) -> Snapshot:
        async def ask(_end: float) -> Snapshot:
            self.calls.append(time.monotonic())
            if self.dead:
                text = "connection refused"
                verdict = classify(StatusCode.UNAVAILABLE, text)
                raise Refusal(verdict, StatusCode.UNAVAILABLE, text, "127.0.0.1:1")
            await asyncio.sleep(0.002)
            return await self.inner.snapshot(reads)

        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            return await rotating(ask, bound_s=BOUND_S)
        finally:
            self.at_once -= 1


def calls_per_s(calls: Sequence[float]) -> float:
    """The most in any one second of those given."""
    return max((sum(at <= each < at + 1.0 for each in calls) for at in calls), default=0)


@asynchronous
async def test_500_readers_do_not_hammer_a_dead_store_nor_storm_it_when_it_is_back() -> None:
    clock = SystemClock()
    mortal = Mortal(MemoryStore(clock), dead=True)
    store = ResilientStore(mortal, clock, at_once=32)
    answered = 0
    stop = asyncio.Event()

    async def reader() -> None:
        nonlocal answered
        while not stop.is_set():
            try:
                await store.snapshot(READ)
            except Unavailable:
                # As a client that does not even obey Retry-After.
                await asyncio.sleep(0.1)
            else:
                answered += 1
                return

    readers = [asyncio.create_task(reader()) for _ in range(READERS)]

    async def opened() -> bool:
        return store.state is State.OPEN and mortal.at_once == 0

    await eventually(opened, "the breaker opened")
    known_dead_at = len(mortal.calls)
    await asyncio.sleep(1.5)
    while_dead = mortal.calls[known_dead_at:]
    assert len(while_dead) >= 1
    assert calls_per_s(while_dead) <= 20, "500 readers made more than 20 calls a second"
    assert calls_per_s(mortal.calls[:known_dead_at]) <= 32 * 15
    assert answered == 0
    mortal.dead = False
    before = len(mortal.calls)
    await asyncio.wait_for(asyncio.gather(*readers), 10.0)
    assert answered == READERS
    assert len(mortal.calls) - before <= READERS + 5, "reads were repeated after the return"
    assert mortal.most_at_once <= 32


class Script(ForwardingStore):
    """A store whose every call ends by `error`; `sent` names them."""

    def __init__(self, error: BpsError) -> None:
        super().__init__(MemoryStore(SystemClock()))
        self.error = error
        self.sent: list[str] = []

    async def snapshot(
        self,
        reads: Sequence[Read],
        *,
        serializable: bool = False,
        at_least: int = 0,
    ) -> Snapshot:
        self.sent.append("serializable" if serializable else "snapshot")
        raise self.error

    async def commit(self, txn: Txn) -> Committed | Conflict:
        self.sent.append("commit")
        raise self.error

    async def lease_grant(self, ttl_s: int) -> Lease:
        self.sent.append("grant")
        raise self.error

    async def lease_keepalive(self, lease_id: int) -> int:
        self.sent.append("keepalive")
        raise self.error

    async def lease_revoke(self, lease_id: int) -> None:
        self.sent.append("revoke")
        raise self.error

    async def compact(self, revision: int) -> None:
        self.sent.append("compact")
        raise self.error


async def opened(store: ResilientStore) -> None:
    for _ in range(FAILURES):
        with pytest.raises(Unavailable):
            await store.snapshot(READ)
    assert store.state is State.OPEN


@pytest.mark.parametrize("error", [Unavailable("No."), OutcomeUnknown("Perhaps.")])
@asynchronous
async def test_every_mutation_is_sent_once_whatever_the_breaker_says(error: BpsError) -> None:
    script = Script(Unavailable("No."))
    store = ResilientStore(script, SystemClock())
    await opened(store)
    script.error, script.sent = error, []
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "commit": lambda: store.commit(Txn((), (Put(b"/k", b"v"),))),
        "grant": lambda: store.lease_grant(5),
        "keepalive": lambda: store.lease_keepalive(1),
        "revoke": lambda: store.lease_revoke(1),
        "compact": lambda: store.compact(1),
    }
    for call in calls.values():
        with pytest.raises(type(error)):
            await call()
    assert script.sent == list(calls)


@asynchronous
async def test_while_it_is_open_a_read_costs_no_call_and_says_when_to_come_again() -> None:
    script = Script(Unavailable("No member answers."))
    store = ResilientStore(script, SystemClock())
    await opened(store)
    asked = len(script.sent)
    with pytest.raises(Unavailable, match="No member answers") as refused:
        await store.snapshot(READ)
    assert refused.value.facts == {"retry_after_s": 1}
    assert len(script.sent) == asked
    with pytest.raises(Unavailable):
        await store.snapshot(READ, serializable=True)
    assert script.sent[asked:] == ["serializable"]


@asynchronous
async def test_an_error_that_is_an_answer_opens_nothing() -> None:
    script = Script(NotFound("It is not there."))
    store = ResilientStore(script, SystemClock())
    for _ in range(2 * FAILURES):
        with pytest.raises(NotFound):
            await store.snapshot(READ)
    assert store.state is State.CLOSED


@asynchronous
async def test_waiting_for_a_place_ends() -> None:
    clock = SystemClock()

    class Slow(ForwardingStore):
        async def count(self, prefix: bytes, *, revision: int = 0) -> int:
            await asyncio.sleep(10)
            return await super().count(prefix, revision=revision)

    store = ResilientStore(Slow(MemoryStore(clock)), clock, at_once=1, wait_s=0.05)
    first = asyncio.create_task(store.count(b"/"))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="Too many reads"):
        await store.count(b"/")
    first.cancel()
