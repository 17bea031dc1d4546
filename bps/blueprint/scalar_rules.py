"""The rules of single scalars: what both releases of YAML read alike, and what JSON can hold."""

from __future__ import annotations

from ruamel.yaml.events import ScalarEvent

from bps.blueprint.characters import escaped_refusal
from bps.blueprint.marks import refuse_at
from bps.blueprint.rules import SHOWN_CHARS, Rule, shown
from bps.blueprint.scalars import Kind, agree, in_range, kinds


def judge_plain(event: ScalarEvent, *, is_key: bool) -> None:
    """Judge what stands without quotes. Raises InvalidBlueprint."""
    value: str = event.value
    old, new = kinds(value)
    if new is Kind.TEXT and old is Kind.TEXT:
        return
    quoted = f'"{value}"' if len(value) <= SHOWN_CHARS else "it in double quotes"
    if is_key and old is Kind.MERGE:
        hint = 'repeat the keys; write "<<" in quotes for a key of that name'
        refuse_at(Rule.MERGE_KEY, event, "a merge key", hint)
    if is_key and new is not Kind.TEXT:
        what = f"the key {shown(value)} is {new}, not text"
        refuse_at(Rule.NON_STRING_KEY, event, what, f"write {quoted}")
    if not agree(value, old, new):
        what = f"{shown(value)} is {old} in YAML 1.1 and {new} in YAML 1.2"
        hint = f"write {quoted}" if is_key else _ambiguity_hint(old, new, quoted)
        refuse_at(Rule.AMBIGUOUS_SCALAR, event, what, hint)
    if new is Kind.NON_FINITE:
        what = f"{shown(value)} is {new}, which JSON cannot hold"
        refuse_at(Rule.NON_FINITE_NUMBER, event, what, f"write {quoted} or null")
    if not in_range(value, new):
        what = f"the number {shown(value)} is out of range"
        hint = f"write {quoted}; integers are within ±(2^63-1), floats within a finite double"
        refuse_at(Rule.NUMBER_OUT_OF_RANGE, event, what, hint)


def judge_escapes(event: ScalarEvent) -> None:
    """Judge what stands in double quotes, as it is once read. Raises InvalidBlueprint."""
    refused = escaped_refusal(event.value)
    if refused is not None:
        rule, what = refused
        refuse_at(rule, event, f"the string that starts here holds {what}", "remove it")


def _ambiguity_hint(old: Kind, new: Kind, quoted: str) -> str:
    if old is Kind.BOOL:
        return f"write {quoted} for the text, true or false for the boolean"
    if Kind.TEXT in {old, new} and {old, new} & {Kind.MERGE, Kind.VALUE}:
        return f"write {quoted}"
    return f"write {quoted} for the text, or the number in plain decimal digits"
