"""Server-sent events: the bytes of a stream (WHATWG HTML, "Server-sent events"). Pure."""

from __future__ import annotations

import orjson

from bps.core.error_catalogue import explain, next_action_of
from bps.core.errors import BpsError

RETRY_MS = 2_000
"""How long a browser waits before it connects again."""


def event(event_id: str, kind: str, data: bytes) -> bytes:
    """One event; `data` is one line."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id.encode(), kind.encode(), data)


def beginning(event_id: str) -> bytes:
    """How long to wait before reconnecting, and where: known before the first event comes."""
    return b"retry: %d\nid: %b\n\n" % (RETRY_MS, event_id.encode())


def mode(mode: str, reason: str | None, since: str) -> bytes:
    """What the sidecar can do now. No id: where a reader goes on from is untouched by it."""
    data = orjson.dumps({"mode": mode, "reason": reason, "since": since})
    return b"event: bps.mode\ndata: %b\n\n" % data


def comment(text: str) -> bytes:
    """What a reader ignores, but what keeps the connection alive."""
    return b": %b\n\n" % text.encode("ascii")


def keep_alive(event_id: str) -> bytes:
    """A comment, and where to go on from; no event is dispatched by it."""
    return b": keep-alive\nid: %b\n\n" % event_id.encode()


def compacted(event_id: str, relist_at: int) -> bytes:
    """Changes were lost: list what there is at `relist_at` or later; the stream goes on there."""
    return event(event_id, "compacted", orjson.dumps({"relist_at": str(relist_at)}))


def problem(event_id: str, error: BpsError) -> bytes:
    """An event that cannot be shown, and why."""
    row = explain(type(error))
    said = {
        "type": row.problem_type,
        "title": row.meaning,
        "status": row.http_status,
        "detail": error.message,
        "code": row.code,
        "next_action": next_action_of(error),
        "facts": error.facts,
    }
    return event(event_id, "problem", orjson.dumps(said))
