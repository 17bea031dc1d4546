"""Plain scalars that some version of YAML may read as something else than text.

Told without the rules of `bps.blueprint.scalars`, which take longer to import than to ask.
"""

from __future__ import annotations

NULLS = ("", "~", "null", "Null", "NULL")
BOOLS_1_2 = ("true", "True", "TRUE", "false", "False", "FALSE")
BOOLS_1_1_ONLY = tuple(
    "y Y yes Yes YES n N no No NO on On ON off Off OFF".split()  # noqa: SIM905 a table, read as one
)
MERGE = "<<"
VALUE = "="
_WORDS = frozenset((*NULLS, *BOOLS_1_2, *BOOLS_1_1_ONLY, MERGE, VALUE))
NUMBER_STARTS = frozenset("0123456789+-.")
_NOT_ZERO = frozenset("123456789")


def may_differ_from_text(value: str) -> bool:
    """False: both versions read text; True: ask `kinds`. Cheap, for it runs on every scalar."""
    return value in _WORDS or value[0] in NUMBER_STARTS


def is_decimal(value: str) -> bool:
    """Whether all versions surely read a whole number, in its usual spelling."""
    return value[:1] in _NOT_ZERO and value.isascii() and value.isdigit()
