"""A store whose watches break, stall and are refused, as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from bps.core import keys
from bps.core.errors import Unavailable
from bps.core.ports import Read, Snapshot, Store, WatchBatch
from bps.core.txn import Committed, Put, Txn
from tests.doubles.forwarding_store import ForwardingStore


class WatchedStore(ForwardingStore):
    """`cut` ends every watch with Unavailable; a stalled one is silent; `down` refuses reads."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.down = False
        self.watches = 0
        self.opened = 0
        self._cuts = asyncio.Event()
        self._flows = asyncio.Event()
        self._flows.set()

    def cut(self) -> None:
        self._cuts.set()
        self._cuts = asyncio.Event()

    def stall(self, *, stalled: bool) -> None:
        if stalled:
            self._flows.clear()
        else:
            self._flows.set()

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        if self.down:
            raise Unavailable("No member answers.")
        return await super().snapshot(reads, serializable=serializable, at_least=at_least)

    async def put(self, *names: str, value: bytes = b"x") -> int:
        """One transaction that sets keys below the root; its revision."""
        puts = tuple(Put(keys.ROOT + name.encode(), value) for name in names)
        done = await self.inner.commit(Txn((), puts))
        assert isinstance(done, Committed)
        return done.revision

    async def watch(
        self, prefix: bytes, *, start_revision: int
    ) -> AsyncGenerator[WatchBatch, None]:
        cuts = self._cuts
        self.watches += 1
        self.opened += 1
        try:
            async with aclosing(self.inner.watch(prefix, start_revision=start_revision)) as inner:
                while True:
                    batch = await self._next(inner, cuts)
                    if batch is None:
                        return
                    yield batch
        finally:
            self.watches -= 1

    async def _next(
        self, inner: AsyncGenerator[WatchBatch, None], cuts: asyncio.Event
    ) -> WatchBatch | None:
        async def told() -> WatchBatch | None:
            batch = await anext(inner, None)
            await self._flows.wait()
            return batch

        telling = asyncio.create_task(told())
        cutting = asyncio.create_task(cuts.wait())
        try:
            await asyncio.wait({telling, cutting}, return_when=asyncio.FIRST_COMPLETED)
            if cutting.done():
                raise Unavailable("The watch was cut.")
            return telling.result()
        finally:
            telling.cancel()
            cutting.cancel()
            await asyncio.gather(telling, cutting, return_exceptions=True)
