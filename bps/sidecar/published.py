"""Stored events as CloudEvents, encoded once: from a change of the store, or from the log. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from bps.core import keys
from bps.core.errors import BpsError, ChainBroken, MalformedRecord
from bps.core.ports import WatchBatch
from bps.plans.cloudevents import cloud_event
from bps.plans.events import Envelope

_EVENTS = b"/events/"


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One event of a plan's log. `json` is the CloudEvent on one line, shared by all readers.

    `index` counts the events of `revision` from 1; 0 where it was read from the log. An event that
    cannot be read has an `error`, and its `json` is empty.
    """

    plan: str
    seq: int
    revision: int
    index: int
    type: str = ""
    json: bytes = b""
    error: BpsError | None = None


def events_of(batch: WatchBatch) -> tuple[PublishedEvent, ...]:
    """The new events in a batch, by plan and seq."""
    values = {event.kv.key: event.kv.value for event in batch.events if not event.deleted}
    # A key that is written again is damage, which proofs find; it is no new event.
    created = (
        event.kv.key
        for event in batch.events
        if not event.deleted and event.kv.create_revision == event.kv.mod_revision
    )
    places = sorted(place for key in created if (place := _place(key)) is not None)
    return tuple(
        published(plan, seq, values, revision=batch.revision, index=index)
        for index, (plan, seq) in enumerate(places, start=1)
    )


def published(
    plan: str, seq: int, values: Mapping[bytes, bytes], *, revision: int, index: int = 0
) -> PublishedEvent:
    """Event `seq` of `plan`, with its envelope and body in `values`, by their keys."""
    try:
        event = _cloud_event(plan, seq, values)
    except BpsError as error:
        return PublishedEvent(plan, seq, revision, index, error=error)
    return PublishedEvent(plan, seq, revision, index, *event)


def _cloud_event(plan: str, seq: int, values: Mapping[bytes, bytes]) -> tuple[str, bytes]:
    """Type and JSON. Raises ChainBroken, MalformedRecord, SchemaTooNew."""
    at = keys.PlanKeys(plan)
    envelope, body = values.get(at.event(seq)), values.get(at.body(seq))
    if envelope is None or body is None:
        what = "event" if envelope is None else "body"
        msg = f"{plan}: {what} {seq} is missing; run `bps verify`."
        raise ChainBroken(msg, plan=plan, index=seq)
    decoded = Envelope.decode(envelope, key=at.event(seq))
    if (decoded.plan, decoded.seq) != (plan, seq):
        msg = f"{plan}: what lies in the place of event {seq} is another one."
        raise MalformedRecord(msg, plan=plan, index=seq)
    event = cloud_event(decoded, body)
    # A copy, as it is kept: orjson's own bytes hold on to a buffer of 4 KiB or more.
    return event.type, bytes(memoryview(orjson.dumps(event.model_dump(mode="json"))))


def _place(key: bytes) -> tuple[str, int] | None:
    """The plan and number of the event that lies at `key`, if one does."""
    if not key.startswith(keys.PLAN_DATA):
        return None
    plan, found, _ = key[len(keys.PLAN_DATA) :].partition(_EVENTS)
    seq = keys.last_number(key) if found else None
    if seq is None:
        return None
    name = plan.decode(errors="replace")
    return (name, seq) if keys.PlanKeys(name).event(seq) == key else None
