"""A connection's transport whose end is gentle and bounded, and whose stalls are seen."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

LINGER_S = 1.0
WRITE_BUFFER_BYTES = 65_536
KERNEL_BUFFER_BYTES = 131_072
"""Linux grows it to 4 MiB for a peer that reads nothing, and keeps twice what is asked for."""


class Wire:
    """Stands for the transport of one connection.

    Closing a socket that holds unread bytes resets it, and the peer may lose the answer. So `close`
    ends our direction first; the rest of what the peer sends is read and dropped for at most a
    second.
    """

    __slots__ = ("_closing", "_left", "_since_s", "transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._closing = False
        self._left = 0
        self._since_s: float | None = None
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)

    def write(self, data: bytes) -> None:
        """As `asyncio.Transport`; nothing is written after `close`."""
        if not self._closing:
            self.transport.write(data)

    def is_closing(self) -> bool:
        """Whether nothing more is written."""
        return self._closing or self.transport.is_closing()

    def close(self) -> None:
        """Send what is left, tell the peer, and wait for it within bounds; see `is_stuck`."""
        if self._closing or self.transport.is_closing():
            return
        self._closing = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.transport.resume_reading()
        else:
            self.transport.close()

    def abort(self) -> None:
        """Reset the connection now."""
        self._closing = True
        self.transport.abort()

    def pause_reading(self) -> None:
        """As `asyncio.Transport`."""
        if not self._closing:
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """As `asyncio.Transport`."""
        if not self._closing:
            self.transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio's
        """As `asyncio.Transport`."""
        return self.transport.get_extra_info(name, default)

    def is_stuck(self, now_s: float, stall_s: float) -> bool:
        """Whether the peer took nothing for `stall_s`, or did not close in time; call it often."""
        left = self.transport.get_write_buffer_size()
        if (left == 0 and not self._closing) or left < self._left:
            self._since_s = None
        self._left = left
        if left == 0 and not self._closing:
            return False
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s > (stall_s if left else LINGER_S)
