"""Lengths of time as people type them."""

from __future__ import annotations

import re

from bps.core.errors import InvalidInput

_DURATION = re.compile(r"([1-9][0-9]{0,8})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text: str, what: str, *, longest_s: int) -> int:
    """`90d`, `12h`, `30m` or `45s` in seconds.

    Raises:
        InvalidInput: it is something else, or longer than `longest_s`.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InvalidInput(
            f"{text[:60]!a} is no {what}; one looks like 90d, 12h or 30m.", field=what
        )
    length_s = int(found[1]) * _SECONDS[found[2]]
    if length_s > longest_s:
        raise InvalidInput(f"The {what} is at most {longest_s // 86_400}d.", field=what)
    return length_s
