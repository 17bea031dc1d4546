"""Deterministic scenarios for protections outside of the write path's scripts.

Each holds today, and raises AssertionError where its protection is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import grpc.aio

from bps.core import keys
from bps.core.errors import (
    BpsError,
    IdempotencyKeyReused,
    ReadOnly,
    StoreRolledBack,
    Unavailable,
)
from bps.core.ports import Key
from bps.core.txn import Committed, Delete, Put, Txn, unchanged
from bps.leadership.modes import Reason
from bps.promotion.promote import Promote
from bps.promotion.revert import Revert
from bps.sidecar.canonical import CanonicalVersions
from bps.sidecar.degraded import DegradedReads
from bps.sidecar.feed import HEARTBEAT_S, Feed
from bps.sidecar.terms import Terms
from bps.store.etcd import EtcdStore
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.etcd.methods import WATCH_PATH
from bps.store.memory import MemoryStore
from bps.writepath.transact import WritePath
from tests.asynchronous import eventually
from tests.doubles import PLAN, WHO, ManualClock, Scene, ref
from tests.unit.sidecar.watched_store import WatchedStore


async def a_store_without_the_witness_takes_no_write() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    mirrored = await scene.memory.commit(Txn((), (Put(keys.checkpoint(1), b"seen"),)))
    assert isinstance(mirrored, Committed)
    seen = unchanged(keys.checkpoint(1), mirrored.revision)
    path = WritePath(scene.store, scene.authority, scene.clock, witness=lambda: seen)
    await scene.memory.commit(Txn((), (Delete(keys.checkpoint(1)),)))
    refusal = await _refusal(path, Promote(WHO, "p", PLAN, (ref(branch),)))
    assert refusal is StoreRolledBack, "a store that was rolled back was written to"


async def an_operation_id_is_not_answered_with_another_request() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    await scene.path.execute(Promote(WHO, "p", PLAN, (ref(branch),)))
    refusal = await _refusal(scene.path, Revert(WHO, "p", PLAN, 1, "why"))
    assert refusal is IdempotencyKeyReused, "a revert was answered with a promotion's result"


async def _refusal(path: WritePath, command: Promote | Revert) -> type[BpsError] | None:
    try:
        await path.execute(command)
    except BpsError as error:
        return type(error)
    return None


async def a_hold_forbids_writing_while_it_lasts() -> None:
    clock = ManualClock()
    terms = Terms(
        MemoryStore(clock),
        clock,
        "one",
        ttl_s=10,
        campaign_s=1.0,
        recover=_nothing_to_recover,
        witness=lambda: None,
        leader_now=lambda: None,
    )
    running = asyncio.create_task(terms.run())
    try:
        await terms.decided()
        terms.write_path()
        terms.hold(Reason.OPERATOR, ReadOnly("An operator said so."))
        refused = False
        try:
            terms.write_path()
        except ReadOnly:
            refused = True
        assert refused, "a held sidecar hands its write path out"
        terms.release(Reason.OPERATOR)
        terms.write_path()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _nothing_to_recover(path: WritePath) -> None:
    del path


async def nothing_older_is_served_than_what_was_published_here() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    clock, store = ManualClock(), WatchedStore(scene.memory)
    feed = Feed(store, clock)
    canonical = CanonicalVersions(store, feed)
    running = asyncio.create_task(feed.run())
    try:
        await _until_current(feed, clock)
        assert (await canonical.get(PLAN)).version.version == 1
        store.stall(stalled=True)
        await scene.promote(branch)
        canonical.published(PLAN, (await scene.memory.status())[0].revision)
        assert (await canonical.get(PLAN)).version.version == 2, "an older version was served"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def degraded_reads_do_not_go_back() -> None:
    scene = await Scene.make()
    clock = ManualClock()
    lost = False
    degraded = DegradedReads(
        scene.memory, Feed(scene.memory, clock), clock, quorum_lost=lambda: lost
    )
    wanted = [Key(keys.PlanKeys(PLAN).head)]
    before = (await scene.memory.snapshot(wanted)).revision
    await scene.open("T1")
    seen = (await degraded.reading().snapshot(wanted)).revision
    assert seen > before
    lost, scene.memory.applied = True, before
    try:
        found = (await degraded.reading().snapshot(wanted)).revision
    except Unavailable:
        return
    raise AssertionError(f"revision {found} was served after {seen}")


async def _until_current(feed: Feed, clock: ManualClock) -> None:
    async def current() -> bool:
        await clock.advance(HEARTBEAT_S)
        return feed.current

    await eventually(current, "the feed is current")


async def a_broken_watch_misses_nothing() -> None:
    async with _behind_its_header() as endpoint, EtcdStore([endpoint]) as store:
        got: list[int] = []
        async with asyncio.timeout(20), aclosing(store.watch(b"/", start_revision=5)) as watch:
            async for batch in watch:
                got += [event.kv.mod_revision for event in batch.events]
                if batch.revision >= _NEWEST:
                    break
    assert got == list(range(5, _NEWEST + 1)), f"delivered {got}"


async def a_watch_from_the_past_misses_nothing(endpoints: Sequence[str]) -> None:
    async with EtcdStore(list(endpoints)) as store:
        put = Txn((), (Put(b"/watched", b""),))
        written = [answer.revision for answer in [await store.commit(put) for _ in range(5)]]
        ending = asyncio.create_task(_ending(store))
        got: list[int] = []
        async with asyncio.timeout(20):
            watch = store.watch(b"/watched", start_revision=written[0])
            async with aclosing(watch):
                async for batch in watch:
                    got += [event.kv.mod_revision for event in batch.events]
                    if any(event.kv.value == b"end" for event in batch.events):
                        break
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
    assert got[: len(written)] == written, f"delivered {got} of {written}"


async def _ending(store: EtcdStore) -> None:
    """Mark the end again and again, as a watch that skips what is written misses the first."""
    while True:
        await store.commit(Txn((), (Put(b"/watched", b"end"),)))
        await asyncio.sleep(0.1)


_NEWEST = 9


@asynccontextmanager
async def _behind_its_header() -> AsyncIterator[str]:
    """A member whose first stream tells its newest revision, delivers one event and breaks."""
    streams = 0

    async def watch(
        requests: AsyncIterator[pb.WatchRequest],
        context: grpc.aio.ServicerContext[pb.WatchRequest, pb.WatchResponse],
    ) -> AsyncIterator[pb.WatchResponse]:
        nonlocal streams
        streams += 1
        start = (await anext(requests)).create_request.start_revision
        yield _response(created=True)
        if streams == 1:
            yield _response(start)
            # An answer to a progress request: it may overtake events (etcd before 3.5.8).
            yield _response(watch_id=-1)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the member goes away")
        for revision in range(start, _NEWEST + 2):
            yield _response(revision)
        async for _ in requests:
            yield _response(watch_id=-1)

    service, _, method = WATCH_PATH.strip("/").partition("/")
    handler = grpc.stream_stream_rpc_method_handler(
        watch,
        request_deserializer=pb.WatchRequest.FromString,
        response_serializer=pb.WatchResponse.SerializeToString,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method: handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def _response(
    revision: int | None = None, *, created: bool = False, watch_id: int = 0
) -> pb.WatchResponse:
    response = pb.WatchResponse(created=created, watch_id=watch_id)
    response.header.revision = _NEWEST
    if revision is not None:
        event = response.events.add()
        event.kv.key, event.kv.value = b"/key", b"value"
        event.kv.create_revision, event.kv.mod_revision = 2, revision
    return response
