"""Which of several values is the greatest: what the strategy `max` keeps."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# semver.org, 2.0.0: no leading zeros in numbers, so that their length orders them first.
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PRE}(?:\.{_PRE})*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_INT = re.compile(rf"([-+]?)({_NUMBER})")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?([Zz]|[-+][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_NINES_COMPLEMENT = str.maketrans("0123456789", "9876543210")


def greatest(order: str, values: Sequence[str]) -> int | None:
    """Find the greatest value; where several are the same text, its first index.

    - `semver`: precedence of SemVer 2.0.0; a leading `v` and build metadata do not count.
    - `date`: ISO 8601, `2024-05-31` (its first instant) or with a time and an offset or `Z`.
    - `int`: decimal without leading zeros, which YAML 1.1 reads as octal; any size.

    Returns:
        None where a value is not of that order, where some dates have an offset and others have
        none, and where the greatest is spelled in two ways (`1.0.0`, `v1.0.0`): as the order of
        the sides must decide nothing, a person has to.

    Raises:
        KeyError: there is no such order.
    """
    key = _KEYS[order]
    keys = [each for each in map(key, values) if each is not None]
    # The first of a key tells what can be compared with what.
    if not keys or len(keys) < len(values) or len({comparable for comparable, _ in keys}) > 1:
        return None
    top = max(keys)
    spellings = {value for value, each in zip(values, keys, strict=True) if each == top}
    return keys.index(top) if len(spellings) == 1 else None


def _semver(value: str) -> tuple[str, Any] | None:
    found = _SEMVER.fullmatch(value)
    if found is None:
        return None
    release = [_size(number) for number in found.group(1, 2, 3)]
    if found[4] is None:
        return "semver", (release, 1, [])
    return "semver", (release, 0, [_identifier(part) for part in found[4].split(".")])


def _identifier(part: str) -> tuple[int, int, str]:
    return (0, *_size(part)) if part.isdigit() else (1, 0, part)


def _size(digits: str) -> tuple[int, str]:
    return len(digits), digits


def _int(value: str) -> tuple[str, Any] | None:
    found = _INT.fullmatch(value)
    if found is None:
        return None
    sign, digits = found.group(1, 2)
    if digits == "0":
        return "int", (0, 0, "")
    if sign == "-":
        return "int", (-1, -len(digits), digits.translate(_NINES_COMPLEMENT))
    return "int", (1, *_size(digits))


def _date(value: str) -> tuple[str, Any] | None:
    from datetime import datetime  # noqa: PLC0415 - `max` of dates is rare, and a start is not

    found = _DATE.fullmatch(value)
    if found is None:
        return None
    try:
        instant = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return "local" if found[1] is None else "offset", instant


_KEYS: dict[str, Callable[[str], tuple[str, Any] | None]] = {
    "semver": _semver,
    "date": _date,
    "int": _int,
}
