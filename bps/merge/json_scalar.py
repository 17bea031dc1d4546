"""Plain scalars as JSON, by YAML 1.2's reading."""

from __future__ import annotations

from bps.blueprint.scalars import Kind, kinds

LONGEST_NUMBER = 20
"""Digits of a number that is shown as one; JSON's numbers are doubles."""
_BASES = {Kind.INT_10: 10, Kind.INT_16: 16, Kind.INT_8: 8}


def json_scalar(value: str) -> str | int | float | bool | None:
    """A plain scalar without tag; a number that JSON cannot hold stays text."""
    kind = kinds(value)[1]
    if kind is Kind.NULL:
        return None
    if kind is Kind.BOOL:
        return value.lower() == "true"
    if len(value) > LONGEST_NUMBER:
        return value
    if kind in _BASES:
        whole = int(value, _BASES[kind])
        return whole if abs(whole) < 1 << 63 else value
    if kind is Kind.FLOAT:
        number = float(value)
        return number if number - number == 0 else value
    return value
