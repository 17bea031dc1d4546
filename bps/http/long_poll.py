"""A page of events, waited for: for those who cannot read a stream."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import orjson
from starlette.requests import Request
from starlette.responses import Response

from bps.core.errors import Compacted, Unauthenticated
from bps.http.connected import disconnected
from bps.http.service import Service, identity_of
from bps.http.streams import HEADERS, Reader
from bps.sidecar.published import PublishedEvent

_CATCH_UP_S = 2.0
"""For what is there already, however little the caller wants to wait."""


class LongPoll:
    """One page of at most `limit` events after where `reader` is."""

    def __init__(self, service: Service, reader: Reader, limit: int) -> None:
        self._service = service
        self._reader = reader
        self._limit = limit
        self._found: list[PublishedEvent] = []

    async def answer(self, request: Request, wait_s: int) -> Response:
        """Wait up to `wait_s` seconds for the first event; 0 answers with what is there.

        Raises:
            Compacted: changes were lost; facts: relist_at, and the `after` to go on with.
            Unauthenticated: the caller's credential ended meanwhile.
            Whatever the reader raises.
        """
        identity, streams = identity_of(request), self._service.streams
        streams.opened(identity.principal)
        try:
            await self._until_ended(request, wait_s)
        except Compacted as error:
            relist_at = str(self._reader.relist())
            raise Compacted(error.message, relist_at=relist_at, after=self._reader.id) from error
        finally:
            streams.closed(identity.principal)
        if wait_s and not await self._service.guard.still_valid(identity):
            raise Unauthenticated("The credential ended while the request waited.")
        return Response(self._page(), headers=HEADERS, media_type="application/json")

    async def _until_ended(self, request: Request, wait_s: int) -> None:
        collecting = asyncio.create_task(self._collect(wait=wait_s > 0))
        gone = asyncio.create_task(disconnected(request.receive))
        draining = asyncio.create_task(self._service.sidecar.draining.wait())
        tasks: set[asyncio.Task[object]] = {collecting, gone, draining}
        try:
            await asyncio.wait(
                tasks, timeout=wait_s or _CATCH_UP_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in tasks - {collecting}:
                task.cancel()
            if not collecting.done():
                collecting.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(asyncio.CancelledError):
            collecting.result()

    async def _collect(self, *, wait: bool) -> None:
        while len(self._found) < self._limit and (
            self._reader.behind or (wait and not self._found)
        ):
            found = await self._reader.next()
            if found is None:
                return
            self._found += found

    def _page(self) -> bytes:
        shown = self._found[: self._limit]
        cut = len(shown) < len(self._found)
        page = {
            "events": [orjson.Fragment(event.json) for event in shown if event.error is None],
            "next_after": self._reader.id_of(shown[-1]) if cut else self._reader.id,
        }
        unreadable = [
            {
                "plan": event.plan,
                "seq": str(event.seq),
                "code": event.error.code,
                "detail": event.error.message,
            }
            for event in shown
            if event.error is not None
        ]
        return orjson.dumps({**page, "unreadable": unreadable} if unreadable else page)
