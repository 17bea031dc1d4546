"""Server-sent events, as the WHATWG's HTML standard reads them (9.2.6). Pure; bounded."""

from __future__ import annotations

from dataclasses import dataclass

from bps.core.errors import Unavailable

MAX_EVENT_BYTES = 4 * 2**20
"""More than any event of ours, with room for its escapes."""


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One dispatched event; `id` is the last one that the stream named."""

    type: str
    data: str
    id: str


class SseParser:
    """Fed with bytes as they come; yields events, and keeps the last id and the retry time."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry_ms: int | None = None
        self._rest = b""
        self._size = 0
        self._id = last_id
        self._type = ""
        self._data: list[str] = []
        self._first = True

    def feed(self, piece: bytes) -> list[SentEvent]:
        """The events that `piece` completes.

        Raises:
            Unavailable: a line or event is longer than any of ours.
        """
        found: list[SentEvent] = []
        # A CR at the end may be half of a CRLF; it waits for the next piece.
        lines = (self._rest + piece).replace(b"\r\n", b"\n")
        held = b"\r" if lines.endswith(b"\r") else b""
        *complete, rest = lines.removesuffix(b"\r").replace(b"\r", b"\n").split(b"\n")
        self._rest = rest + held
        for line in complete:
            event = self._line(line)
            if event is not None:
                found.append(event)
        if len(self._rest) + self._size > MAX_EVENT_BYTES:
            raise Unavailable("The service sends an event that is too long to be one.")
        return found

    def _line(self, raw: bytes) -> SentEvent | None:
        line = raw.decode(errors="replace")
        if self._first:
            line, self._first = line.removeprefix("\ufeff"), False
        if not line:
            return self._dispatch()
        self._size += len(raw)
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value[:9])
        return None

    def _dispatch(self) -> SentEvent | None:
        # Only now: an event that was cut off by a lost connection has to come again.
        self.last_id = self._id
        data, kind = self._data, self._type
        self._data, self._type, self._size = [], "", 0
        if not data:
            return None
        return SentEvent(kind or "message", "\n".join(data), self.last_id)
