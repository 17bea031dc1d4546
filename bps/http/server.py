"""Listening, serving and draining: uvicorn's protocol in a server of our own.

uvicorn's own server ends by the signal that it caught, and waits for clients that never read.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import ServerState

from bps.core.errors import ConfigError
from bps.http.limits import Limits
from bps.http.protocol import BoundedProtocol
from bps.identity.tls_files import load_ca, load_identity

_SWEEP_S = 0.25
_POLL_S = 0.02
_CANCEL_S = 0.3
_BACKLOG = 1_024
_MAX_PORT = 65_535

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen. Without TLS only this host can reach the service."""

    host: str = "127.0.0.1"
    port: int = 8780
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    client_ca_file: Path | None = None

    @property
    def has_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.tls_cert_file is not None

    def check(self) -> None:
        """Refuse what would be reachable in clear text. Raises ConfigError."""
        if not 0 <= self.port <= _MAX_PORT:
            msg = f"listen.port must be 0 to {_MAX_PORT}."
            raise ConfigError(msg).advising("Choose another port with --port, or in the file.")
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            msg = "listen.tls_cert_file and listen.tls_key_file belong together."
            raise ConfigError(msg).advising("Set both in the configuration file, or none.")
        if self.client_ca_file is not None and not self.has_tls:
            msg = "listen.client_ca_file needs listen.tls_cert_file."
            raise ConfigError(msg).advising("Set listen.tls_cert_file and listen.tls_key_file.")
        if not self.has_tls and not is_loopback(self.host):
            raise ConfigError(
                f"Without TLS the service listens on this host only, not on {self.host[:60]!a}."
            ).advising(
                "Set listen.tls_cert_file and listen.tls_key_file, or listen.host to 127.0.0.1."
            )


def is_loopback(host: str) -> bool:
    """Whether an address (or `localhost`) is of this host alone."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


class HttpServer:
    """An asynchronous context manager: it listens inside, and `drain` ends it gently.

    Attributes:
        url: what clients use; the port is the one that was chosen.
    """

    url: str

    def __init__(self, app: ASGIApp, listen: Listen, limits: Limits) -> None:
        listen.check()
        self._listen = listen
        self._limits = limits
        self._config = Config(
            cast("Any", app),
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )
        self._state = ServerState()
        self._server: asyncio.Server
        self._sweeper: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            ConfigError: the address or the TLS files cannot be used.
        """
        self._config.load()
        secured = _tls_context(self._listen)
        loop = asyncio.get_running_loop()
        timeout_s = self._limits.header_deadline_s if secured else None
        try:
            self._server = await loop.create_server(
                self._protocol,
                self._listen.host,
                self._listen.port,
                ssl=secured,
                backlog=_BACKLOG,
                ssl_handshake_timeout=timeout_s,
            )
        except OSError as error:
            reason = error.strerror or "it cannot be used"
            at = f"{self._listen.host}:{self._listen.port}"
            message = f"The service cannot listen on {at[:60]!a}: {reason}."
            raise ConfigError(message).advising(_listen_advice(error)) from None
        self.url = self._url(self._server.sockets[0])
        self._tell_date()
        self._sweeper = asyncio.create_task(self._sweep(), name="sweep")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for connection in self._connections():
            connection.abort()
        await self._cancel_requests()
        self._sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeper

    async def drain(self, drain_s: float) -> bool:
        """Take no more connections, let requests under way finish; True where all did in time."""
        self._server.close()
        end_s = time.monotonic() + drain_s
        for connection in self._connections():
            connection.shutdown()
        while self._state.connections or self._state.tasks:
            if time.monotonic() > end_s:
                left = len(self._state.tasks)
                _log.warning("clients did not finish in time", extra={"requests": left})
                return False
            await asyncio.sleep(_POLL_S)
        return True

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._state.connections)

    def _protocol(self) -> BoundedProtocol:
        return BoundedProtocol(self._config, self._state, {}, limits=self._limits)

    def _connections(self) -> list[BoundedProtocol]:
        return [cast("BoundedProtocol", each) for each in self._state.connections]

    async def _cancel_requests(self) -> None:
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCEL_S)

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_S)
            self._tell_date()
            now_s = loop.time()
            for connection in self._connections():
                connection.sweep(now_s)

    def _tell_date(self) -> None:
        date = formatdate(time.time(), usegmt=True).encode()
        self._state.default_headers = [(b"date", date)]

    def _url(self, listening: socket.socket) -> str:
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self._listen.has_tls else 'http'}://{shown}:{port}"


def _tls_context(listen: Listen) -> ssl.SSLContext | None:
    """TLS 1.2 or newer; a client certificate is asked for where a CA for them is named."""
    if listen.tls_cert_file is None or listen.tls_key_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    load_identity(
        context,
        listen.tls_cert_file,
        listen.tls_key_file,
        cert_name="listen.tls_cert_file",
        key_name="listen.tls_key_file",
    )
    if listen.client_ca_file is not None:
        load_ca(context, listen.client_ca_file, name="listen.client_ca_file")
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _listen_advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "Choose another port with --port, or stop the other process that listens there."
    if error.errno == errno.EACCES:
        return "Choose a port from 1024 on with --port; this user may not listen on that one."
    return "Choose an address of this host with --host, and a free port with --port."
