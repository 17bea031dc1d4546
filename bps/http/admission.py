"""What is refused before any route sees the request: its path and its headers' shape. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bps.core.errors import InvalidInput, RequestError, RequestTooLarge
from bps.http.problems import shown

MAX_URL_BYTES = 4_096
_SINGLE = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"if-match",
        b"if-none-match",
        b"last-event-id",
        b"traceparent",
        b"transfer-encoding",
    }
)
"""Headers of which two would let two readers see two requests."""
_ESCAPE = re.compile(rb"%(.{0,2})", re.DOTALL)
_HEX = re.compile(rb"[0-9A-Fa-f]{2}")
_STRUCTURE = frozenset(b"/\\%?#.;")
_PRINTABLE = range(0x21, 0x7F)
_DOTS = frozenset({b".", b".."})
_BODILESS = frozenset({"GET", "HEAD"})


def has_plain_path(raw_path: bytes) -> bool:
    """Whether each part of the path means the same before and after it is decoded.

    An escaped `/`, dot or control character would let an id pass for another route; no id of ours
    needs one, nor characters beyond ASCII.
    """
    if b"%" in raw_path:
        for escape in _ESCAPE.finditer(raw_path):
            digits = escape[1]
            if not _HEX.fullmatch(digits):
                return False
            code = int(digits, 16)
            if code not in _PRINTABLE or code in _STRUCTURE:
                return False
    return b"/." not in raw_path or _DOTS.isdisjoint(raw_path.split(b"/"))


def check_headers(method: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse two of a header that decides something, and a body where none is taken.

    Raises:
        InvalidInput: a header came twice.
        RequestError: a GET with a body.
    """
    seen: set[bytes] = set()
    for name, value in headers:
        if name not in _SINGLE:
            continue
        if name in seen:
            text = name.decode("latin-1")
            raise InvalidInput(f"The header {text} came twice.", field=text)
        seen.add(name)
        if method in _BODILESS and _announces_body(name, value):
            raise RequestError(f"A {method} takes no body.")


def _announces_body(name: bytes, value: bytes) -> bool:
    return name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")


def check_query(query: bytes, known: frozenset[str]) -> None:
    """Refuse a parameter that the route does not have, or has only one of.

    Raises:
        InvalidInput.
    """
    seen: set[str] = set()
    for pair in query.split(b"&"):
        name = pair.partition(b"=")[0].decode("latin-1")
        if not pair:
            continue
        if name not in known:
            takes = ", ".join(sorted(known)) or "none"
            message = f"{shown(name)!r} is no query parameter here; this path takes {takes}."
            raise InvalidInput(message, field=shown(name))
        if name in seen:
            raise InvalidInput(f"The query parameter {name} came twice.", field=name)
        seen.add(name)


def check_url(raw_path: bytes, query: bytes) -> None:
    """Raises RequestTooLarge."""
    if len(raw_path) + len(query) > MAX_URL_BYTES:
        message = f"The URL is longer than the {MAX_URL_BYTES} bytes that are taken here."
        raise RequestTooLarge(message, limit_bytes=MAX_URL_BYTES)
