"""HTTP/1.1 on one connection: uvicorn's httptools protocol, bounded in every direction.

What it adds: limits of header bytes, header count, URL length, pipelined requests and connections;
deadlines (kept by `sweep`, which the server calls several times a second); refusals as
problem+json; and the client's certificate in `scope["extensions"]["tls"]["peer_certificate"]`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
)
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from bps.core.errors import (
    BpsError,
    RequestError,
    RequestTimedOut,
    RequestTooLarge,
    TooManyConnections,
)
from bps.http.admission import MAX_URL_BYTES
from bps.http.cycle import Cycle, answer_bytes
from bps.http.limits import Limits
from bps.http.problems import unexpected
from bps.http.wire import Wire

MAX_HEADERS = 64
MAX_PIPELINED = 16
_REFUSED_AT_ONCE = 64
"""Connections over the limit that still get an answer; more are reset."""
_RETRY_AFTER_S = 2


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._wire: Wire
        self._peer: dict[str, Any] | None = None
        self._active: Cycle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._refusal: bytes | None = None
        self._refused = False
        self._due_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or say that there are too many."""
        held = len(self.connections)
        self.connections.add(self)
        self._wire = Wire(transport)
        self.transport = cast("asyncio.Transport", self._wire)
        self.flow = FlowControl(self.transport)
        self.server = get_local_addr(transport)
        self.client = get_remote_addr(transport)
        self.scheme = "https" if is_ssl(transport) else "http"
        secured = transport.get_extra_info("ssl_object")
        self._peer = secured.getpeercert() if secured is not None else None
        self._due_s = self.loop.time() + self._limits.idle_s
        limit = self._limits.max_connections
        if held >= limit + _REFUSED_AT_ONCE:
            self._wire.abort()
        elif held >= limit and not self._make_room():
            message = f"The service has {limit} connections, as many as it takes."
            self._refuse(TooManyConnections(message, retry_after_s=_RETRY_AFTER_S, limit=limit))

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake all that serve this connection."""
        waiting = [cycle for cycle, _ in self.pipeline]
        for cycle in (self._active, *waiting):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; what is no HTTP of ours is answered once and ends the connection."""
        if self._refused or self._wire.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
            if self._in_head and self._head_bytes > self._limits.max_header_bytes:
                self._refuse(self._head_too_large())
        except httptools.HttpParserCallbackError as error:
            found = error.__context__
            self._refuse(found if isinstance(found, BpsError) else unexpected(found or error))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(RequestError("What was sent is not HTTP/1.1 as it is taken here."))

    def on_message_begin(self) -> None:
        """A request line begins."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        self._due_s = self.loop.time() + self._limits.header_deadline_s

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            message = f"The URL is longer than the {MAX_URL_BYTES} bytes that are taken here."
            raise RequestTooLarge(message, limit_bytes=MAX_URL_BYTES)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers are counted and dropped, since all was decided without them."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > 2 * self._limits.max_header_bytes:
            raise self._head_too_large()
        if not self._in_head:
            return
        if len(self.headers) >= MAX_HEADERS:
            message = f"The request has more than {MAX_HEADERS} headers."
            raise RequestTooLarge(message, limit=MAX_HEADERS)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Serve the request, or queue it behind the one that is served."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self._limits.max_header_bytes:
            raise self._head_too_large()
        if self.parser.should_upgrade():
            raise RequestError("The service speaks HTTP/1.1 only; it upgrades to nothing.")
        version = self.parser.get_http_version()
        self._check_framing(version)
        self._in_head = False
        self._head_bytes = 0
        self._complete_scope(version)
        cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self.cycle = cycle
        if self._active is None:
            self._active = cycle
            self._start_asgi_task(cycle, self.app)
            return
        if len(self.pipeline) >= MAX_PIPELINED:
            raise RequestError(f"More than {MAX_PIPELINED} requests were sent ahead.")
        self.flow.pause_reading()
        self.pipeline.appendleft((cycle, self.app))

    def on_response_complete(self) -> None:
        """Go on with the next request, or with what has to be refused after the earlier ones."""
        self.server_state.total_requests += 1
        self._active = None
        if self._wire.is_closing():
            return
        self._due_s = self.loop.time() + self._limits.idle_s
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._active = cast("Cycle", cycle)
            self._start_asgi_task(cycle, app)
        elif self._refusal is not None:
            self._end(self._refusal)
        if not self.pipeline:
            self.flow.resume_reading()

    def shutdown(self) -> None:
        """The service ends: no further request on this connection."""
        if self._active is None:
            self._wire.close()
            return
        for cycle in (self._active, *(cycle for cycle, _ in self.pipeline)):
            cycle.keep_alive = False

    def sweep(self, now_s: float) -> None:
        """Keep the deadlines. Cost: about 1 us."""
        if self._wire.is_stuck(now_s, self._limits.write_stall_s):
            self._wire.abort()
        elif self._active is not None or self._wire.is_closing() or now_s < self._due_s:
            return
        elif self._in_head:
            limit_s = self._limits.header_deadline_s
            self._refuse(RequestTimedOut(f"The headers were not there after {limit_s:g} s."))
        else:
            self._wire.close()

    def abort(self) -> None:
        """Reset the connection."""
        self._wire.abort()

    @property
    def idle_since_s(self) -> float | None:
        """Since when no request of this connection is served; None while one is."""
        served = self._active is not None or self._refused or self._wire.is_closing()
        return None if served else self._due_s

    def _make_room(self) -> bool:
        """Reset the connection that asks for nothing longest; idle ones must not keep others out.

        Its client loses no answer; True where there was one. Cost: 0.1 us a connection.
        """
        others = (cast("BoundedProtocol", each) for each in self.connections if each is not self)
        idle = [(since_s, id(each), each) for each in others if (since_s := each.idle_since_s)]
        if not idle:
            return False
        min(idle)[2].abort()
        return True

    def _check_framing(self, version: str) -> None:
        """Refuse what a proxy before us could read otherwise (RFC 9112, section 6)."""
        if version not in {"1.0", "1.1"}:
            raise RequestError("The service speaks HTTP/1.0 and HTTP/1.1 only.")
        hosts = 0
        for name, value in self.headers:
            if name == b"transfer-encoding" and (value.lower() != b"chunked" or version == "1.0"):
                raise RequestError("The only Transfer-Encoding that is taken is chunked.")
            hosts += name == b"host"
        if hosts == 0 and version == "1.1":
            raise RequestError("The request has no header Host.")

    def _complete_scope(self, version: str) -> None:
        try:
            url = httptools.parse_url(self.url)
            raw_path = url.path or b"/"
            path = raw_path.decode("ascii")
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            raise RequestError("The URL is no URL.") from None
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = raw_path
        self.scope["query_string"] = url.query or b""
        if self._peer:
            tls: dict[Any, Any] = {"peer_certificate": self._peer}
            self.scope["extensions"] = {"tls": tls}

    def _head_too_large(self) -> RequestTooLarge:
        limit = self._limits.max_header_bytes
        message = f"The headers are longer than the {limit} bytes that are taken here."
        return RequestTooLarge(message, limit_bytes=limit)

    def _refuse(self, error: BpsError) -> None:
        """Answer after all earlier requests of this connection; nothing more is parsed."""
        self._refused = True
        answer = answer_bytes(error)
        # What follows a request whose body is broken can never be told from its body.
        last, active = self.cycle, self._active
        is_broken = last is not None and last.more_body
        if active is None:
            self._end(answer)
        elif not is_broken or last is not active:
            self._refusal = answer
            self.pipeline = deque(
                each for each in self.pipeline if not (is_broken and each[0] is last)
            )
        elif active.response_started:
            active.keep_alive = False
        else:
            active.disconnected = True
            active.message_event.set()
            self._end(answer)

    def _end(self, answer: bytes) -> None:
        self._wire.write(answer)
        self._wire.close()
