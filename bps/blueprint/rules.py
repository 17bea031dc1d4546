"""The rules of the strict blueprint profile and how a violation is reported.

`docs/blueprint-profile.md` explains each rule; a test keeps the two in step.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

from bps.core.errors import Fact, InvalidBlueprint

SHOWN_CHARS = 40


class Rule(StrEnum):
    """Stable identifiers of the rules; once released, one is never renamed or reused."""

    TOO_LARGE = "too-large"
    NOT_UTF_8 = "not-utf-8"
    SURROGATE = "surrogate"
    BYTE_ORDER_MARK = "byte-order-mark"
    NUL = "nul"
    CONTROL_CHARACTER = "control-character"
    NEXT_LINE = "next-line"
    LINE_SEPARATOR = "line-separator"
    NONCHARACTER = "noncharacter"
    EMPTY = "empty"
    DIRECTIVE = "directive"
    SEVERAL_DOCUMENTS = "several-documents"
    ROOT_NOT_A_MAPPING = "root-not-a-mapping"
    SYNTAX = "syntax"
    TAG = "tag"
    MERGE_KEY = "merge-key"
    NON_STRING_KEY = "non-string-key"
    DUPLICATE_KEY = "duplicate-key"
    AMBIGUOUS_SCALAR = "ambiguous-scalar"
    NON_FINITE_NUMBER = "non-finite-number"
    NUMBER_OUT_OF_RANGE = "number-out-of-range"
    UNDEFINED_ALIAS = "undefined-alias"
    RECURSIVE_ALIAS = "recursive-alias"
    DUPLICATE_ANCHOR = "duplicate-anchor"
    ALIAS_EXPANSION = "alias-expansion"
    TOO_MANY_NODES = "too-many-nodes"
    TOO_DEEP = "too-deep"


def refuse(rule: Rule, line: int, column: int, what: str, hint: str, **more: Fact) -> NoReturn:
    """Raise the refusal of a blueprint.

    Args:
        rule: the rule that is broken.
        line: where, counted from 1.
        column: where, in characters, counted from 1.
        what: a clause without a full stop that names what was found.
        hint: what to write instead.
        **more: further facts for programs.

    Raises:
        InvalidBlueprint: always; facts rule, line, column, hint and `more`.
    """
    raise InvalidBlueprint(
        f"Line {line}, column {column}: {what}.",
        rule=rule.value,
        line=line,
        column=column,
        hint=hint,
        **more,
    )


def shown(value: str) -> str:
    """Quote text from a blueprint for a message: printable ASCII, cut visibly at 40 characters."""
    if len(value) > SHOWN_CHARS:
        return f"{value[:SHOWN_CHARS]!a}... ({len(value)} characters)"
    return ascii(value)
