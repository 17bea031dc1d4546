"""JSON Pointers (RFC 6901), as findings name places by them."""

from __future__ import annotations

from collections.abc import Iterable


def below(pointer: str, *tokens: str | int) -> str:
    """The pointer to what lies under `tokens`, from the place that `pointer` names."""
    return pointer + "".join(f"/{_escaped(str(token))}" for token in tokens)


def of(tokens: Iterable[str | int]) -> str:
    """The pointer whose unescaped tokens these are."""
    return below("", *tokens)


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
