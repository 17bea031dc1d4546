"""Following a log while the store compacts: no event is lost, none comes twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from bps.core.errors import Compacted
from bps.core.ports import Store, WatchBatch
from bps.replay.events import follow_events
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, Scene
from tests.doubles.forwarding_store import ForwardingStore


class Compacting(ForwardingStore):
    """Before the watch's first batch, and again after it, its revision is compacted."""

    def __init__(self, inner: Store, scene: Scene) -> None:
        super().__init__(inner)
        self._scene = scene
        self.watches = 0

    def watch(self, prefix: bytes, *, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        self.watches += 1
        return self._first(prefix, start_revision, self.watches)

    async def _first(
        self, prefix: bytes, start_revision: int, number: int
    ) -> AsyncGenerator[WatchBatch, None]:
        await self._scene.open(f"T{number}", f"F{number}")
        if number == 2:
            async with aclosing(super().watch(prefix, start_revision=start_revision)) as batches:
                yield await anext(batches)
        raise Compacted("gone", compact_revision=start_revision)


@asynchronous
async def test_a_follower_goes_on_after_a_compaction() -> None:
    scene = await Scene.make()
    store = Compacting(scene.memory, scene)
    shown: list[int] = []
    async with aclosing(follow_events(store, PLAN, 1)) as events:
        async for event in events:
            shown.append(int(event.id))
            if shown[-1] == 5:
                break
    assert shown == [1, 2, 3, 4, 5]
    assert store.watches >= 3
