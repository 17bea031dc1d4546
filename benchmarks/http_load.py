"""A lean HTTP/1.1 client for load: keep-alive connections, prepared requests, no parsing of bodies.

A general client costs more CPU than the service it measures, on the same two cores.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from time import perf_counter

_LENGTH = b"content-length:"


def request(
    method: str, path: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
) -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method not in {"GET", "HEAD"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to the service on this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, prepared: bytes, expected: int) -> bytes:
        """Send a request and read its answer whole; the body.

        Raises:
            RuntimeError: the answer has another status than `expected`.
        """
        status, body = await self._exchange(prepared)
        if status != expected:
            msg = f"status {status} instead of {expected}: {body[:300]!r}"
            raise RuntimeError(msg)
        return body

    async def exchange(self, prepared: bytes) -> int:
        """Send a request and read its answer whole; the status."""
        return (await self._exchange(prepared))[0]

    async def _exchange(self, prepared: bytes) -> tuple[int, bytes]:
        self._writer.write(prepared)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) : head.index(b"\r\n", at)]) if at >= 0 else 0
        status = int(head[9:12])
        body = await self._reader.readexactly(length) if length and status != 304 else b""
        return status, body

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def rate(port: int, jobs: Sequence[bytes], in_flight: int, expected: int) -> float:
    """Requests a second: all `jobs`, each sent once, over `in_flight` connections."""
    connections = [await Connection.open(port) for _ in range(in_flight)]
    coming = iter(jobs)

    async def worker(connection: Connection) -> None:
        for job in coming:
            await connection.send(job, expected)

    started = perf_counter()
    try:
        await asyncio.gather(*(worker(connection) for connection in connections))
    finally:
        for connection in connections:
            connection.close()
    return len(jobs) / (perf_counter() - started)
