"""Refusing a value that a reviewer typed, at once, where it could never be published."""

from __future__ import annotations

from collections.abc import Sequence

from bps.blueprint.part import check_part
from bps.candidates.candidate import Attempt
from bps.core.errors import Fact, InvalidBlueprint, InvalidInput
from bps.plans.reviews import ReviewResolution


def refuse_outside_profile(path: str, text: str) -> None:
    """Refuse a value for `path` that no blueprint may hold, wherever it stands.

    Raises:
        InvalidInput: it breaks a rule of the profile. facts: field, path, rule, line, column.
    """
    try:
        check_part(text)
    except InvalidBlueprint as error:
        facts = {name: error.facts[name] for name in ("rule", "line", "column")}
        said = f"{error.message[:1].lower()}{error.message[1:]}"
        raise _refusal(path, said, str(error.facts["hint"]), facts) from None


def refuse_unfit(new: Sequence[ReviewResolution], before: Attempt, after: Attempt) -> None:
    """Refuse decisions that leave no text to publish: `after` is with `new`, `before` without.

    Raises:
        InvalidInput: a value of `new` fits nowhere, or one typed before that does not fit beside
            them. facts: field, path, line, column.
    """
    decided = {each.conflict: each.path for each in new}
    known = {each.conflict for each in before.misfits} - decided.keys()
    for each in after.misfits:
        if each.conflict not in known:
            said = f"line {each.line}, column {each.column}: {each.why}"
            hint = "give another value, or take a version"
            raise _refusal(each.path, said, hint, {"line": each.line, "column": each.column})
    contested = [each for each in after.conflicts if each.id in decided]
    if after.unreadable and (contested or not after.conflicts):
        first = after.findings[0]
        typed = [each.path for each in new if each.text is not None]
        path = first.path or (typed[0] if len(typed) == 1 else None)
        raise _refusal(path, first.message, first.hint, {"line": first.line})


def _refusal(path: str | None, said: str, hint: str, facts: dict[str, Fact]) -> InvalidInput:
    where = "" if path is None else f" for {path or 'the root'}"
    said = said.removeprefix("the edited value, ").rstrip(".")
    advice = f"{hint[:1].upper()}{hint[1:]}; nothing was written."
    message = f"The value{where} cannot stand there: {said}."
    return InvalidInput(message, field="text", path=path, **facts).advising(advice)
