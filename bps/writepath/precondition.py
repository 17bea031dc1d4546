"""`If-Match` as part of a decision: what the caller has seen (RFC 9110, 13.1.1)."""

from __future__ import annotations

from bps.core.errors import PreconditionFailed

ANY = "*"
"""Matches whatever is there."""

IfMatch = tuple[str, ...]
"""Entity tags without their quotes, or `ANY`; empty matches nothing."""


def check_if_match(if_match: IfMatch | None, etag: str, what: str) -> None:
    """Refuse to act where `what` has another entity tag than the caller has seen.

    Raises:
        PreconditionFailed: facts.etag is the present one, with its quotes.
    """
    if if_match is None or ANY in if_match or etag in if_match:
        return
    raise PreconditionFailed(f'{what} has changed: its ETag is "{etag}" now.', etag=f'"{etag}"')


def operation_fields(if_match: IfMatch | None) -> dict[str, list[str]]:
    """What `if_match` adds to the fields of an operation: nothing where there is none.

    So digests of requests without it are those of earlier releases.
    """
    return {} if if_match is None else {"if_match": sorted(set(if_match))}
