"""Requests as bytes to `bps serve`, and what a refusal must look like."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bps.core import ids, keys
from bps.core.ports import Prefix
from bps.store.etcd.store import EtcdStore
from tests.asynchronous import run

Headers = tuple[tuple[str, str], ...]

_DEADLINE_S = 10.0
_NUMBERS = count()
_LEADERS_OWN = (
    keys.ROOT + b"leader/",
    keys.ROOT + b"checkpoint",
    keys.ROOT + f"ops/{ids.SERVICE_PRINCIPAL}/".encode(),
)
"""Keys that a leader writes of itself; the checkpoints are of what was written before."""
_INSIDES = ("Traceback", "site-packages", ".py", str(Path.home()), sys.prefix, str(Path.cwd()))
_MEMBERS = ("type", "title", "detail", "code", "next_action", "instance", "trace_id")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the service."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Target:
    """A service, the store below it, and the token that requests come with."""

    address: tuple[str, int]
    endpoint: str
    token: str

    def send(self, sent: bytes) -> Answer:
        """The first answer to these bytes."""
        with socket.create_connection(self.address, _DEADLINE_S) as connection:
            connection.sendall(sent)
            stream = connection.makefile("rb")
            status = int(stream.readline().split()[1])
            headers: dict[str, str] = {}
            for line in iter(stream.readline, b"\r\n"):
                name, _, value = line.decode("latin-1").rstrip().partition(": ")
                headers[name.lower()] = value
            length = int(headers.get("content-length", 0))
            return Answer(status, headers, stream.read(length).decode())

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Headers = (),
        media: str = "application/json",
        token: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """One request with all that it needs, but for what `headers` say."""
        return self.send(
            request(
                method, path, body, headers=headers, media=media, token=token or self.token, key=key
            )
        )

    def written(self) -> Mapping[bytes, int]:
        """What is stored, but for the leader's own: each key and its revision."""

        async def read() -> Mapping[bytes, int]:
            async with EtcdStore((self.endpoint,)) as store:
                found = (await store.snapshot([Prefix(keys.ROOT)])).answers[0]
            return {kv.key: kv.mod_revision for kv in found if not kv.key.startswith(_LEADERS_OWN)}

        return run(read())


def request(
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    headers: Headers = (),
    media: str = "application/json",
    token: str,
    key: str | None = None,
) -> bytes:
    """A request that is well-formed unless its parts are not. Values are sent as they are."""
    named = {name.lower() for name, _ in headers}
    usual = [("Host", "127.0.0.1"), ("Authorization", f"Bearer {token}"), ("Connection", "close")]
    if method != "GET":
        usual.append(("Idempotency-Key", key or f"bad-input-{next(_NUMBERS)}"))
    if body is not None:
        usual += [("Content-Type", media), ("Content-Length", str(len(body)))]
    lines = [(name, value) for name, value in usual if name.lower() not in named]
    text = "".join(f"{name}: {value}\r\n" for name, value in (*lines, *headers))
    return f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode("latin-1") + (body or b"")


def check_refused(answer: Answer, status: int, code: str) -> None:
    """A problem with this code that says all it has to, and nothing of the machine."""
    assert (answer.status, answer.json.get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    for member in _MEMBERS:
        assert problem[member] or member == "instance", f"no {member}: {answer.text}"
    assert problem["status"] == status
    assert problem["trace_id"] == answer.headers["bps-trace-id"]
    for inside in _INSIDES:
        assert inside not in answer.text, f"the answer shows {inside}: {answer.text}"
