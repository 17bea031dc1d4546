"""A stream of events to one subscriber, until it goes, the service drains or its token ends.

The subscriber's pace is the stream's: what is sent waits for the transport, which cuts off who does
not read. Meanwhile the stream holds one chunk of changes, and a place in the feed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from bps.core.errors import BpsError, Compacted
from bps.http import sse
from bps.http.connected import disconnected
from bps.http.service import Service
from bps.identity.roles import Identity
from bps.plans.cloudevents import rfc3339
from bps.sidecar.edges import Edge
from bps.sidecar.published import PublishedEvent

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_LAST_WORD_S = 1.0


class Reader(Protocol):
    """Where a subscriber is; see `bps.sidecar.events`."""

    @property
    def id(self) -> str:
        """Where to go on."""
        ...

    def id_of(self, event: PublishedEvent) -> str:
        """Where to go on after `event`."""
        ...

    @property
    def behind(self) -> bool:
        """Whether there may be events now."""
        ...

    async def next(self) -> list[PublishedEvent] | None:
        """The next events; may be cancelled."""
        ...

    def relist(self) -> int:
        """Skip what was lost, and name the revision at which to list."""
        ...


@dataclass(slots=True)
class _Times:
    """When the next sign of life and the next look at the token are due, on the loop's clock."""

    keep_alive_s: float
    recheck_s: float


class EventStream(StreamingResponse):
    """The answer to one subscriber."""

    def __init__(self, service: Service, identity: Identity, reader: Reader) -> None:
        super().__init__((), headers=HEADERS, media_type=MEDIA_TYPE)
        self._service = service
        self._identity = identity
        self._reader = reader
        self._edges = service.sidecar.terms.edges
        self._told = ""
        # Two tasks send: the events, and the changes of the mode.
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send until something ends it; what ends it is the last comment."""
        principal = self._identity.principal
        streams = self._service.streams
        streams.opened(principal)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            reason = await self._until_ended(receive, send)
            if reason:
                # Whoever does not read does not read this either.
                async with asyncio.timeout(_LAST_WORD_S):
                    last = sse.comment(reason)
                    await send({"type": "http.response.body", "body": last, "more_body": False})
        except TimeoutError:
            return
        finally:
            streams.closed(principal)

    async def _until_ended(self, receive: Receive, send: Send) -> str:
        """Why the stream ends; empty if nobody is there any more."""
        pumping = asyncio.create_task(self._pump(send))
        # After the pump, whose beginning goes first.
        telling = asyncio.create_task(self._tell_modes(send, self._edges.count))
        gone = asyncio.create_task(disconnected(receive))
        draining = asyncio.create_task(self._service.sidecar.draining.wait())
        tasks: set[asyncio.Task[object]] = {pumping, telling, gone, draining}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if pumping.done():
                return pumping.result()
            if telling.done():
                telling.result()
            return "" if gone.done() else "draining"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, send: Send) -> str:
        limits, loop = self._service.limits, asyncio.get_running_loop()
        now_s = loop.time()
        due = _Times(now_s + limits.keep_alive_s, now_s + limits.recheck_s)
        await self._send(send, sse.beginning(self._reader.id) + _mode(self._edges.last))
        while True:
            found: list[PublishedEvent] | None = []
            try:
                async with asyncio.timeout_at(min(due.keep_alive_s, due.recheck_s)):
                    found = await self._reader.next()
            except TimeoutError:
                pass
            except Compacted:
                relist_at = self._reader.relist()
                await self._send(send, sse.compacted(self._reader.id, relist_at))
            except BpsError as error:
                if not error.retryable:
                    await self._send(send, sse.problem(self._reader.id, error))
                return f"interrupted: {error.code}"
            if found is None:
                return "the feed has ended"
            now_s = loop.time()
            if now_s >= due.recheck_s:
                due.recheck_s = now_s + limits.recheck_s
                if not await self._service.guard.still_valid(self._identity):
                    return "the credential has ended"
            if found:
                await self._send(send, b"".join(map(self._frame, found)))
                due.keep_alive_s = loop.time() + limits.keep_alive_s
            elif now_s >= due.keep_alive_s:
                await self._keep_alive(send)
                due.keep_alive_s = now_s + limits.keep_alive_s

    async def _tell_modes(self, send: Send, seen: int) -> None:
        """Each change of the mode; of several that came while the reader was slow, the last."""
        while True:
            await self._edges.wait(seen)
            seen = self._edges.count
            await self._write(send, _mode(self._edges.last))

    async def _keep_alive(self, send: Send) -> None:
        if self._reader.id == self._told:
            await self._send(send, sse.comment("keep-alive"))
        else:
            await self._send(send, sse.keep_alive(self._reader.id))

    async def _send(self, send: Send, frames: bytes) -> None:
        """Frames that say where the reader is."""
        await self._write(send, frames)
        self._told = self._reader.id

    async def _write(self, send: Send, frames: bytes) -> None:
        async with self._turn:
            await send({"type": "http.response.body", "body": frames, "more_body": True})

    def _frame(self, found: PublishedEvent) -> bytes:
        event_id = self._reader.id_of(found)
        if found.error is not None:
            return sse.problem(event_id, found.error)
        return sse.event(event_id, found.type, found.json)


def _mode(edge: Edge) -> bytes:
    reason = edge.reason.value if edge.reason is not None else None
    return sse.mode(edge.mode.value, reason, rfc3339(edge.at_ms))
