"""Content negotiation by the header `Accept` (RFC 9110, 12.5.1). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bps.core.errors import NotAcceptable

_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


def negotiated(accept: str | None, offered: Sequence[str]) -> str:
    """The media type of `offered` that the caller likes best; the first of equals.

    The most specific range decides on a type. A range that cannot be read counts for nothing.

    Raises:
        NotAcceptable: none of them.
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = [_parsed(part) for part in accept.lower().split(",")]
    best, best_quality = "", 0.0
    for media in offered:
        kind = media.partition("/")[0]
        quality = 0.0
        for wanted in (media, f"{kind}/*", "*/*"):
            said = [found[1] for found in ranges if found is not None and found[0] == wanted]
            if said:
                quality = max(said)
                break
        if quality > best_quality:
            best, best_quality = media, quality
    if not best:
        raise NotAcceptable(f"This can be had as {' or '.join(offered)}.", offered=list(offered))
    return best


def _parsed(part: str) -> tuple[str, float] | None:
    """A media range and its quality; parameters other than `q` are not distinguished."""
    media, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            value = value.strip()
            return (media, float(value)) if _QUALITY.fullmatch(value) else None
    return media, 1.0
