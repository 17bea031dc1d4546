"""Events: pages of a plan's log, and streams that go on through restarts of the service."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from pydantic import ValidationError

from bps.client.answers import Calls, path_of
from bps.client.problems import error_of, parse_problem
from bps.client.responses import unreadable
from bps.client.retries import ATTEMPTS, MAX_RETRY_AFTER_S, RetryLater
from bps.client.sse import SentEvent, SseParser
from bps.core.errors import (
    BpsError,
    ChainBroken,
    Compacted,
    ConfigError,
    MalformedRecord,
)

if TYPE_CHECKING:
    from bps.plans.cloudevents import CloudEvent

PAGE_EVENTS = 200
SILENCE_S = 30.0
"""The service sends a comment each 10 s; three that are missing mean that nobody is there."""
MODE_EVENT = "bps.mode"
"""What the service says of itself among the events; it has no id, and is no event of a plan."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_MAX_DIGITS = 19
_OK = 200


@dataclass(frozen=True, slots=True)
class Published:
    """An event of any plan, and its place among those of all: go on after `id`."""

    id: str
    event: CloudEvent


class EventCalls(Calls):
    """Calls of `/v1/plans/{plan}/events` and `/v1/events`."""

    async def log(self, plan: str, *, after: int = 0) -> AsyncGenerator[CloudEvent, None]:
        """A plan's events after number `after`, up to the end of its log; a request per 200.

        Raises:
            NotFound: no such plan.
            InvalidInput: the log ends before `after`; facts: events, how many it has.
            MalformedRecord: an event that the service cannot read.
        """
        found = self._event_pages("plans", plan, "events", after=str(after))
        async with aclosing(found) as events:
            async for each in events:
                yield each.event

    def all_log(self, after: str) -> AsyncGenerator[Published, None]:
        """The events of all plans after the id `after`, up to now; a request per 200.

        Ids are those of pages: several events can have the same one. Raises Compacted.
        """
        return self._event_pages("events", after=after)

    async def _event_pages(self, *path: str, after: str) -> AsyncGenerator[Published, None]:
        from bps.api.event_page import EventPage

        while True:
            query = {"after": after, "limit": str(PAGE_EVENTS)}
            page = await self._get(EventPage, *path, query=query)
            for event in page.events:
                yield Published(page.next_after, event)
            for damaged in page.unreadable:
                msg = f"{damaged.plan}: event {damaged.seq} cannot be read: {damaged.detail}"
                raise MalformedRecord(msg, plan=damaged.plan, index=damaged.seq)
            if not page.events:
                return
            after = page.next_after

    async def events(self, plan: str, *, after: int = 0) -> AsyncGenerator[CloudEvent, None]:
        """A plan's events after number `after`, each once and in order, for ever.

        Lost connections and restarts of the service are gone through: the stream goes on after the
        last event that was yielded, at whichever sidecar answers.

        Raises:
            Unavailable: the first connection cannot be made.
            NotFound, Unauthenticated, Forbidden, InvalidInput: as the service says, at any time.
            ChainBroken: the service leaves an event out.
        """
        stream = self._stream(path_of("plans", plan, "events"), str(after), f"after={after}")
        async with aclosing(stream) as sent:
            async for each in sent:
                event = self._event(each)
                seq = _number(event.id)
                if seq <= after:
                    continue
                if seq != after + 1:
                    msg = f"{plan}: the service sent event {seq} after event {after}."
                    raise ChainBroken(msg, plan=plan, index=after + 1)
                after = seq
                yield event

    async def all_events(self, *, after: str | None = None) -> AsyncGenerator[Published, None]:
        """The events of all plans after the id `after`, or from now on, each once, for ever.

        Raises:
            Compacted: events were lost; facts: relist_at, the revision to list plans at or after,
                and id, after which to go on.
            Otherwise as `events`.
        """
        query = "" if after is None else f"after={after}"
        last = (0, 0) if after is None else _position(after)
        if after is not None and "-" not in after:
            # A revision alone: all of it was seen.
            last = (last[0] + 1, 0)
        async with aclosing(self._stream(path_of("events"), after or "", query)) as sent:
            async for each in sent:
                position = _position(each.id)
                if position > last:
                    last = position
                    yield Published(each.id, self._event(each))

    def _event(self, sent: SentEvent) -> CloudEvent:
        from bps.plans.cloudevents import CloudEvent

        if sent.type == "compacted":
            raise _compacted(sent)
        if sent.type == "problem":
            problem = parse_problem(sent.data.encode())
            if problem is not None:
                raise error_of(_OK, problem)
        try:
            return CloudEvent.model_validate_json(sent.data, extra="ignore")
        except ValidationError:
            raise unreadable(self._transport.target, _OK, None) from None

    async def _stream(
        self, path: str, last_id: str, first_query: str
    ) -> AsyncGenerator[SentEvent, None]:
        """Events of one stream after another, each from where the one before ended."""
        failures, connected = 0, False
        while True:
            parser = SseParser(last_id)
            wait_s = min(_FIRST_WAIT_S * 2 ** min(failures, 10), _LONGEST_WAIT_S)
            try:
                async with aclosing(self._one_stream(path, first_query, parser)) as sent:
                    async for event in sent:
                        failures, connected = 0, True
                        if event.type != MODE_EVENT:
                            yield event
                connected, failures = True, failures + 1
            except RetryLater as later:
                failures += 1
                if not _goes_on(later.cause, connected=connected, failures=failures):
                    raise later.cause from None
                wait_s = min(max(later.after_s or 0.0, wait_s), MAX_RETRY_AFTER_S)
            except BpsError as error:
                failures += 1
                if not _goes_on(error, connected=connected, failures=failures):
                    raise
            if parser.last_id:
                # From here on by `Last-Event-ID`, which wins over the query.
                last_id, first_query = parser.last_id, ""
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads clients

    async def _one_stream(
        self, path: str, first_query: str, parser: SseParser
    ) -> AsyncGenerator[SentEvent, None]:
        headers = {"Accept": "text/event-stream"}
        query = dict([first_query.split("=", 1)]) if first_query else {}
        if parser.last_id and not query:
            headers["Last-Event-ID"] = parser.last_id
        opened = self._transport.stream(path, query=query, headers=headers, silence_s=SILENCE_S)
        async with opened as response:
            if response.headers.get("content-type", "").partition(";")[0] != "text/event-stream":
                raise unreadable(self._transport.target, response.status_code, None)
            async for piece in response.aiter_raw():
                for event in parser.feed(piece):
                    yield event


def _goes_on(error: BpsError, *, connected: bool, failures: int) -> bool:
    """Whether to connect again: for ever once it worked, a few times before."""
    may_pass = error.retryable and not isinstance(error, Compacted)
    return may_pass and (connected or failures < ATTEMPTS)


def _compacted(sent: SentEvent) -> BpsError:
    try:
        relist_at = str(orjson.loads(sent.data)["relist_at"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        relist_at = ""
    msg = "Events were lost: the service was away for too long, or fell behind."
    return Compacted(msg, relist_at=relist_at, id=sent.id)


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        return int(text)
    raise ConfigError("What answers is not a BPS service: an event has no number.")


def _position(text: str) -> tuple[int, int]:
    revision, dash, index = text.partition("-")
    return _number(revision), _number(index) if dash else 0
