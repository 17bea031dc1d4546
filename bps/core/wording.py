"""What pydantic found wrong, in our own words: it speaks of inputs and types, we of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bps.core.errors.base import BpsError

_MAX_PLACES = 5
_MOST_CHARS = 600
_KINDS = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a finite number",
    "bool": "true or false",
    "none_required": "null",
    "list": "a list",
    "tuple": "a list",
    "dict": "an object",
    "model": "an object",
    "json": "JSON",
    "is_instance_of": "text that is not empty",
}
"""By how a type of error begins."""
_BOUNDS = {
    "greater_than": ("gt", "it has to be above {}"),
    "greater_than_equal": ("ge", "it has to be {} or more"),
    "less_than": ("lt", "it has to be below {}"),
    "less_than_equal": ("le", "it has to be {} or less"),
    "multiple_of": ("multiple_of", "it has to be a multiple of {}"),
    "string_too_short": ("min_length", "it has fewer characters than {}"),
    "string_too_long": ("max_length", "it has more characters than {}"),
    "string_pattern_mismatch": ("pattern", "it does not have the form {}"),
    "too_short": ("min_length", "it has fewer items than {}"),
    "too_long": ("max_length", "it has more items than {}"),
    "literal_error": ("expected", "it has to be {}"),
    "enum": ("expected", "it has to be {}"),
}
_WHOLE = {
    "missing": "it is missing",
    "extra_forbidden": "it is unknown",
    "invalid_key": "its name is no text",
    "recursion_loop": "it holds itself",
}
_OTHER = "it does not have the right form"


def problem_of(found: Mapping[str, Any]) -> str:
    """A clause that says what is wrong with a field, by one item of `ValidationError.errors()`.

    A validator of our own says it itself, as the text of its ValueError.
    """
    kind = str(found.get("type", ""))
    context = found.get("ctx") or {}
    if kind in {"value_error", "assertion_error"}:
        return str(context.get("error") or "").strip() or _OTHER
    if kind in _WHOLE:
        return _WHOLE[kind]
    name, clause = _BOUNDS.get(kind, ("", ""))
    if context.get(name) == 1 and kind in {"string_too_short", "too_short"}:
        return "it is empty"
    if name in context:
        return clause.format(context[name])
    wanted = next((said for begin, said in _KINDS.items() if kind.startswith(begin)), None)
    return _OTHER if wanted is None else f"it has to be {wanted}"


def places_of(error: ValidationError) -> str:
    """The fields that are wrong, by their names; the first five."""
    places = (".".join(map(str, each["loc"])) for each in error.errors()[:_MAX_PLACES])
    return ", ".join(place or "the whole" for place in places)


def problems_of(error: ValidationError) -> str:
    """What is wrong with the first five fields, each named, and how many more there are."""
    found = error.errors()
    told = []
    for each in found[:_MAX_PLACES]:
        name = ".".join(map(str, each["loc"])) or "the whole"
        told.append(f"{name}: {problem_of(each)}")
    more = f"; and {len(found) - len(told)} more" if len(found) > len(told) else ""
    return f"{'; '.join(told)}{more}"[:_MOST_CHARS].rstrip(".")


def reason_of(error: Exception) -> str:
    """Why stored records do not fit, for the sentence of another error."""
    if isinstance(error, BpsError):
        return error.message.rstrip(".")
    if isinstance(error, ValidationError):
        return f"these fields are wrong: {places_of(error)}"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing" if error.args else "something is missing"
    return str(error)
