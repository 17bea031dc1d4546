"""Conditional requests (RFC 9110, sections 8.8.3, 13.1.1, 13.1.2): entity tags in headers."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header
from starlette.requests import Request

from bps.core.errors import InvalidInput, PreconditionRequired
from bps.writepath.precondition import ANY, IfMatch

MAX_TAGS = 32
_TAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
_GAP = re.compile(r"[ \t]*(?:,[ \t]*)*")


def quoted(opaque: str) -> str:
    """A strong entity tag as headers write it."""
    return f'"{opaque}"'


def parse_tags(text: str, header: str) -> list[tuple[str, bool]]:
    """The entity tags of a list, each with whether it is weak; `*` gives `[("*", False)]`.

    Raises:
        InvalidInput: it is no list of 1 to 32 quoted entity tags.
    """
    if text.strip(" \t") == ANY:
        return [(ANY, False)]
    found: list[tuple[str, bool]] = []
    at = _after_gap(text, 0)
    while at < len(text) and len(found) <= MAX_TAGS:
        tag = _TAG.match(text, at)
        after = _after_gap(text, tag.end()) if tag else at
        # Tags stand apart by a comma, not by white space alone.
        if tag is None or (after < len(text) and "," not in text[tag.end() : after]):
            raise _malformed(header)
        found.append((tag["opaque"], tag["weak"] is not None))
        at = after
    if not 0 < len(found) <= MAX_TAGS:
        raise _malformed(header)
    return found


def _after_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _malformed(header: str) -> InvalidInput:
    what = f'{header} must be "*" or at most {MAX_TAGS} entity tags in quotes'
    return InvalidInput(f'{what}, such as "7-5f1e...".', field=header)


def strong_tags(text: str) -> IfMatch:
    """The tags of an `If-Match` that can match: strong comparison, so weak ones never do.

    Raises:
        InvalidInput: see `parse_tags`.
    """
    return tuple(opaque for opaque, weak in parse_tags(text, "If-Match") if not weak)


async def if_match(
    header: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="Act only if the resource still has one of these ETags; else 412.",
            json_schema_extra={"example": "*"},
        ),
    ] = None,
) -> IfMatch | None:
    """A dependency: what the caller has seen, or None. Raises InvalidInput."""
    return None if header is None else strong_tags(header)


async def need_if_match(
    header: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="Required: the ETag of what is to be replaced; stale: 412, missing: 428.",
            json_schema_extra={"example": "*"},
        ),
    ] = None,
) -> IfMatch:
    """A dependency: what the caller has seen.

    Raises:
        PreconditionRequired: there is no `If-Match`.
        InvalidInput: it is malformed.
    """
    if header is None:
        raise PreconditionRequired("The request has no If-Match.")
    return strong_tags(header)


def not_modified(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names `etag` (without quotes), by weak comparison.

    Raises:
        InvalidInput: the header is malformed.
    """
    header = request.headers.get("if-none-match")
    if header is None:
        return False
    if header == f'"{etag}"':
        return True
    return any(opaque in {etag, ANY} for opaque, _ in parse_tags(header, "If-None-Match"))
