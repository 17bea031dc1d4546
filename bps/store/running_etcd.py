"""The embedded etcd that runs in a directory: how others find it, and whether it answers.

`endpoint.json` in the directory holds {endpoint, pid, name} of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from contextlib import suppress
from pathlib import Path

from bps.store.regular_file import open_regular

_FILE = "endpoint.json"
_FILE_MAX_BYTES = 4_096
_PROBE_TIMEOUT_S = 1.0
_ENDPOINT = re.compile(r"127\.0\.0\.1:([1-9][0-9]{0,4})")
_NAME = re.compile(r"embedded-[0-9a-f]{16}")
_MAX_PORT = 65_535
_ANSWER_MAX_BYTES = 65_536


async def is_healthy(endpoint: str, *, name: str | None = None) -> bool:
    """Asks etcd's /health, which does a linearizable read; and whether that is its name."""
    healthy = await _ask(endpoint, "GET /health")
    if name is None or b'"health":"true"' not in healthy:
        return b'"health":"true"' in healthy
    return f'"name":"{name}"'.encode() in await _ask(endpoint, "POST /v3/cluster/member/list", "{}")


async def _ask(endpoint: str, request: str, body: str = "") -> bytes:
    """The answer to an HTTP request, at most 64 KiB of it; empty where none comes in time."""
    answer = b""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    host, _, port = endpoint.rpartition(":")
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(
                    f"{request} HTTP/1.0\r\nHost: {endpoint}\r\n{length}\r\n{body}".encode()
                )
                while len(answer) < _ANSWER_MAX_BYTES and (more := await reader.read(4_096)):
                    answer += more
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    return answer


def write_running(directory: Path, endpoint: str, pid: int, name: str) -> None:
    """Lets others find it; `forget_running` when it ends."""
    path = directory / _FILE
    new = path.with_suffix(".new")
    with open_regular(new, os.O_RDWR | os.O_CREAT) as file:
        file.truncate()
        file.write(json.dumps({"endpoint": endpoint, "pid": pid, "name": name}).encode())
    new.replace(path)


def forget_running(directory: Path) -> None:
    """Nobody is to find one here."""
    (directory / _FILE).unlink(missing_ok=True)


def read_running(directory: Path) -> tuple[str, int, str] | None:
    """Endpoint, pid and name as `write_running` wrote them; None if there are none."""
    try:
        with open_regular(directory / _FILE, os.O_RDONLY) as file:
            content = file.read(_FILE_MAX_BYTES + 1)
        record = json.loads(content) if len(content) <= _FILE_MAX_BYTES else None
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    match record:
        case {"endpoint": str(endpoint), "pid": int(pid), "name": str(name)}:
            port = _ENDPOINT.fullmatch(endpoint)
            if pid > 0 and port and int(port[1]) <= _MAX_PORT and _NAME.fullmatch(name):
                return endpoint, pid, name
    return None
