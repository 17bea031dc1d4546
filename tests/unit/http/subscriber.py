"""A subscriber to a stream, calling the application itself: what is sent is there at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Message

_DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Received:
    """One event of a stream."""

    id: str
    type: str
    data: str


class Subscriber:
    """Use as an asynchronous context manager; leaving it is the client's going away."""

    def __init__(
        self,
        app: ASGIApp,
        url: str,
        *,
        role: str = "auditor",
        headers: dict[str, str] | None = None,
    ) -> None:
        path, _, query = url.partition("?")
        sent = {"host": "127.0.0.1", "accept": "text/event-stream"}
        sent |= {"authorization": f"Bearer {role}", **(headers or {})}
        self._app = app
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(n.lower().encode(), v.encode()) for n, v in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self._gone = asyncio.Event()
        self._moved = asyncio.Event()
        self._asked = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.got: list[Received] = []
        #: The data of events `bps.mode`, which have no id.
        self.modes: list[str] = []
        self.last_id = ""

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self._app(self._scope, self._receive, self._send))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._gone.set()
        await asyncio.wait_for(self._task, _DEADLINE_S)

    async def events(self, count: int) -> list[Received]:
        """Wait until `count` events have come in all."""
        await self.until(lambda: len(self.got) >= count)
        assert len(self.got) == count
        return self.got

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(_DEADLINE_S):
            while not holds():
                assert not self._task.done(), self.text
                await self._moved.wait()

    async def ended(self) -> None:
        """Wait until the service has ended the stream."""
        await asyncio.wait_for(asyncio.shield(self._task), _DEADLINE_S)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {n.decode(): v.decode() for n, v in message["headers"]}
            return
        self.text += message.get("body", b"").decode()
        self._parse()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _parse(self) -> None:
        """All blocks so far, as the standard says."""
        self.got, self.modes = [], []
        for block in self.text.split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
            self.last_id = fields.get("id", self.last_id)
            if fields.get("event") == "bps.mode":
                assert "id" not in fields
                self.modes.append(fields["data"])
            elif "data" in fields:
                self.got.append(Received(self.last_id, fields["event"], fields["data"]))
