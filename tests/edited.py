"""Another version of a text, by what is replaced in it."""

from __future__ import annotations

from typing import AnyStr


def edited(content: AnyStr, *pairs: tuple[AnyStr, AnyStr]) -> AnyStr:
    """`content` with the first of each pair, which stands in it once, replaced by the second."""
    for old, new in pairs:
        assert content.count(old) == 1
        content = content.replace(old, new)
    return content
