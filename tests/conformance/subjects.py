"""The stores under test: how to open one, and how to let time pass in it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing

from bps.core.ports import Capability, Store, WatchBatch
from bps.store.etcd import EtcdStore
from bps.store.gateway import GatewayStore
from bps.store.memory import MemoryStore

_ALL = frozenset(Capability)
_WITHOUT_WATCH = _ALL - {Capability.WATCH}
#: The adapters, and what each declares; `gateway` speaks to etcd 3.5.1's and to a newer gateway.
DECLARED: dict[str, frozenset[Capability]] = {
    "memory": _ALL,
    "etcd": _ALL,
    "gateway": _WITHOUT_WATCH,
    "cluster": _ALL,
    "gateway-cluster": _WITHOUT_WATCH,
}

_numbers = itertools.count()


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def now_ms(self) -> int:
        """Wall clock in milliseconds."""
        return round(self.now_s * 1000)

    def monotonic_s(self) -> float:
        """The same instant in seconds."""
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        """Move the clock at once."""
        self.now_s += delay_s
        await asyncio.sleep(0)


class Subject:
    """One adapter: opens stores on the same data, below a prefix that nobody else uses."""

    def __init__(
        self,
        name: str,
        open_store: Callable[[], AbstractAsyncContextManager[Store]],
        pass_time: Callable[[], None],
    ) -> None:
        self.name = name
        self.open = open_store
        #: Called while waiting: moves a fake clock, does nothing to a real one.
        self.pass_time = pass_time
        self.prefix = f"/conformance/{os.getpid()}/{next(_numbers)}/".encode()

    def key(self, name: str | bytes) -> bytes:
        """A key below the subject's prefix."""
        return self.prefix + (name.encode() if isinstance(name, str) else name)


def memory_subject() -> Subject:
    """A new memory store."""
    clock = FakeClock()
    stores: list[MemoryStore] = []

    def open_store() -> AbstractAsyncContextManager[Store]:
        # All openings share the data, as all clients of one etcd do.
        if not stores:
            stores.append(MemoryStore(clock))
        return _NotClosing(stores[0])

    def pass_time() -> None:
        clock.now_s += 0.1

    return Subject("memory", open_store, pass_time)


def etcd_subject(name: str, endpoints: list[str]) -> Subject:
    """A client of a running etcd."""
    return Subject(name, lambda: EtcdStore(endpoints), lambda: None)


def gateway_subject(name: str, endpoints: list[str]) -> Subject:
    """A client of a running etcd's HTTP gateway."""
    return Subject(name, lambda: GatewayStore(endpoints), lambda: None)


class _NotClosing:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def __aenter__(self) -> Store:
        return self._store

    async def __aexit__(self, *_exception: object) -> None:
        return None


async def take(
    store: Store, prefix: bytes, start_revision: int, count: int, *, deadline_s: float = 10.0
) -> list[WatchBatch]:
    """The first `count` batches with events of a watch; fails after `deadline_s` without them."""
    taken: list[WatchBatch] = []
    async with (
        asyncio.timeout(deadline_s),
        aclosing(store.watch(prefix, start_revision=start_revision)) as batches,
    ):
        async for batch in batches:
            if batch.events:
                taken.append(batch)
            if len(taken) == count:
                break
    return taken
