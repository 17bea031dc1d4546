"""How YAML 1.1 and YAML 1.2 read a plain (unquoted) scalar.

Sources: the types of YAML 1.1 (yaml.org/type: bool, float, int, merge, null, timestamp, value) and
the core schema of YAML 1.2.2, section 10.3.2. The published 1.1 pattern for floats is read as it is
implemented: `[0-9_]` for its `[0-9.]`, which would make `1.2.3` a number; at least one digit,
without which `.` would be one; and no sign before a leading point, for PyYAML and ruamel.yaml in
its 1.1 mode read `-.5` as text.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from bps.blueprint.words import (
    BOOLS_1_1_ONLY,
    BOOLS_1_2,
    MERGE,
    NULLS,
    NUMBER_STARTS,
    VALUE,
    is_decimal,
)

_INT_LIMIT = 2**63 - 1
# A double has at most 309 digits before its point and 767 significant ones in any case.
_LONGEST_NUMBER = 1_100


class Kind(StrEnum):
    """What a plain scalar is read as; integers carry the base in which they are written."""

    TEXT = "text"
    NULL = "null"
    BOOL = "a boolean"
    INT_2 = "a binary integer"
    INT_8 = "an octal integer"
    INT_10 = "a decimal integer"
    INT_16 = "a hexadecimal integer"
    INT_60 = "a base 60 integer"
    FLOAT = "a float"
    FLOAT_60 = "a base 60 float"
    NON_FINITE = "an infinity or not-a-number"
    TIMESTAMP = "a timestamp"
    MERGE = "a merge key"
    VALUE = "a default value key"


_WORDS: dict[str, tuple[Kind, Kind]] = {
    **dict.fromkeys(NULLS, (Kind.NULL, Kind.NULL)),
    **dict.fromkeys(BOOLS_1_2, (Kind.BOOL, Kind.BOOL)),
    **dict.fromkeys(BOOLS_1_1_ONLY, (Kind.BOOL, Kind.TEXT)),
    MERGE: (Kind.MERGE, Kind.TEXT),
    VALUE: (Kind.VALUE, Kind.TEXT),
}
_TEXT = (Kind.TEXT, Kind.TEXT)
_DECIMAL = (Kind.INT_10, Kind.INT_10)

# Possessive repeats keep hostile scalars linear in time and constant in memory.
_NUMBER_1_1 = r"""
      (?P<TIMESTAMP>[0-9]{4}-[0-9]{2}-[0-9]{2}
        |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]++)[0-9]{1,2}:[0-9]{2}:[0-9]{2}
         (?:\.[0-9]*+)?(?:[ \t]*+Z|[ \t]*+[-+][0-9]{1,2}(?::[0-9]{2})?)?)
    | (?P<INT_2>[-+]?0b[01_]++)
    | (?P<INT_8>[-+]?0[0-7_]++)
    | (?P<INT_10>[-+]?(?:0|[1-9][0-9_]*+))
    | (?P<INT_16>[-+]?0x[0-9a-fA-F_]++)
    | (?P<INT_60>[-+]?[1-9][0-9_]*+(?::[0-5]?[0-9])++)
    | (?P<FLOAT>(?:[-+]?[0-9][0-9_]*+\.[0-9_]*+|\._*+[0-9][0-9_]*+)(?:[eE][-+][0-9]++)?)
    | (?P<FLOAT_60>[-+]?[0-9][0-9_]*+(?::[0-5]?[0-9])++\.[0-9_]*+)
    | (?P<NON_FINITE>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))
    """
_NUMBER_1_2 = r"""
      (?P<INT_10>[-+]?[0-9]++)
    | (?P<INT_8>0o[0-7]++)
    | (?P<INT_16>0x[0-9a-fA-F]++)
    | (?P<FLOAT>[-+]?(?:\.[0-9]++|[0-9]++(?:\.[0-9]*+)?)(?:[eE][-+]?[0-9]++)?)
    | (?P<NON_FINITE>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))
    """


@cache
def _numbers() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """How either version writes numbers; compiled when asked for, as `bps merge` seldom asks."""
    return re.compile(_NUMBER_1_1, re.VERBOSE), re.compile(_NUMBER_1_2, re.VERBOSE)


def kinds(value: str) -> tuple[Kind, Kind]:
    """Return how YAML 1.1 and how YAML 1.2 read a plain scalar; linear in its length."""
    if value[:1] not in NUMBER_STARTS:
        return _WORDS.get(value, _TEXT)
    if is_decimal(value):
        return _DECIMAL
    older, newer = _numbers()
    old, new = older.fullmatch(value), newer.fullmatch(value)
    return (
        Kind.TEXT if old is None else Kind[str(old.lastgroup)],
        Kind.TEXT if new is None else Kind[str(new.lastgroup)],
    )


def agree(value: str, old: Kind, new: Kind) -> bool:
    """Whether both versions read the same value; timestamps pass, for the profile keeps them text.

    Args:
        value: the plain scalar.
        old: its kind in YAML 1.1.
        new: its kind in YAML 1.2.
    """
    if old is Kind.INT_8 and new is Kind.INT_10:
        return len(value.lstrip("+-").lstrip("0")) <= 1
    return old is new or (old is Kind.TIMESTAMP and new is Kind.TEXT)


def in_range(value: str, kind: Kind) -> bool:
    """Whether a number fits: integers within ±(2^63-1), floats within a finite double.

    Args:
        value: the plain scalar; every YAML version reads the same number.
        kind: its kind in YAML 1.2; anything but a number is in range.
    """
    if kind not in {Kind.INT_10, Kind.INT_16, Kind.FLOAT}:
        return True
    if len(value) > _LONGEST_NUMBER:
        return False
    if kind is Kind.FLOAT:
        return float(value) not in {float("inf"), float("-inf")}
    return abs(int(value, 16 if kind is Kind.INT_16 else 10)) <= _INT_LIMIT
