"""A plan's events as CloudEvents: what is there, and what comes (K5)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from bps.core import keys
from bps.core.capabilities import require
from bps.core.errors import ChainBroken, Compacted, MalformedRecord
from bps.core.ports import Capability, Key, Store
from bps.plans.cloudevents import CloudEvent, cloud_event
from bps.plans.events import Envelope
from bps.replay.log import PAGE_EVENTS, PinnedLog, pin


async def read_events(store: Store, plan: str, start: int) -> AsyncGenerator[CloudEvent, None]:
    """Events `start` and later, up to the head at the time of the call.

    Cost: two reads per 1,000 events. Raises NotFound, ChainBroken (an event or body is missing).
    """
    log = await pin(store, plan)
    async with aclosing(_events(store, log, start)) as events:
        async for event in events:
            yield event


async def follow_events(store: Store, plan: str, start: int) -> AsyncGenerator[CloudEvent, None]:
    """Events `start` and later, then each new one once, in order, for ever.

    The watch begins right after the revision of the listing, so that none is lost or doubled.
    Where the store compacts that revision away, the log is listed anew from the next event on:
    events are numbered and never change.

    Raises:
        CapabilityMissing: the store cannot watch; before the first event.
    """
    require(store, Capability.WATCH)
    plan_keys = keys.PlanKeys(plan)
    following = start
    while True:
        log = await pin(store, plan)
        with suppress(Compacted):
            async with aclosing(_events(store, log, following)) as events:
                async for event in events:
                    yield event
                    following += 1
            watched = store.watch(plan_keys.events, start_revision=log.revision + 1)
            async with aclosing(watched) as batches:
                async for batch in batches:
                    for change in batch.events:
                        seq = keys.last_number(change.kv.key)
                        if change.deleted or seq is None or seq < following:
                            continue
                        stored = (await store.snapshot([Key(plan_keys.body(seq))])).answers[0]
                        body = stored[0].value if stored else None
                        yield _event(plan, seq, change.kv.value, body)
                        following = seq + 1
            return


async def _events(store: Store, log: PinnedLog, start: int) -> AsyncGenerator[CloudEvent, None]:
    plan_keys = keys.PlanKeys(log.plan)
    while start <= log.head.seq:
        after = min(start + PAGE_EVENTS, log.head.seq + 1)
        bounds = (start, after)
        envelopes, bodies = [
            await store.page(*ends, limit=PAGE_EVENTS, revision=log.revision)
            for ends in (map(plan_keys.event, bounds), map(plan_keys.body, bounds))
        ]
        stored = {keys.last_number(kv.key): kv.value for kv in bodies.kvs}
        found = {keys.last_number(kv.key): kv.value for kv in envelopes.kvs}
        for seq in range(start, after):
            yield _event(log.plan, seq, found.get(seq), stored.get(seq))
        start = after


def _event(plan: str, seq: int, envelope: bytes | None, body: bytes | None) -> CloudEvent:
    if envelope is None or body is None:
        what = "event" if envelope is None else "body"
        raise ChainBroken(
            f"{plan}: {what} {seq} is missing; run `bps verify`.", plan=plan, index=seq
        )
    try:
        return cloud_event(Envelope.decode(envelope), body)
    except MalformedRecord as error:
        msg = f"{plan}: event {seq} cannot be read: {error.message}"
        raise MalformedRecord(msg, plan=plan, index=seq) from error
