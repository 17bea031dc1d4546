"""Law 8: a conflict record with its resolutions gives the final document."""

from __future__ import annotations

from collections.abc import Mapping

from bps.merge.records import Conflict, Kind, Merged, Resolution
from tests.unit.merge.cases import Case
from tests.unit.merge.choices import Choices
from tests.unit.merge.measures import ONE, OTHER, merged, same_data, tokens
from tests.unit.merge.oracles import Broken, comments, composed

_LATER = {Kind.ANCHOR, Kind.DOCUMENT, Kind.IDENTITY}
"""Conflicts over the whole, which choices for its parts can make."""


def law_8_resolutions_hold(case: Case) -> None:
    """Every conflict resolved: the merge is clean and holds what was chosen."""
    result = merged(case)
    again = merged(case)
    assert [c.id for c in again.conflicts] == [c.id for c in result.conflicts], "ids are not stable"
    for take, side in ((ONE, case.one), (OTHER, case.other)):
        chosen = {conflict.id: Resolution(take=take) for conflict in result.conflicts}
        settled = merged(case, chosen)
        assert settled.text is not None, (
            f"still open with {take}: {settled.conflicts}\n--- before {result.conflicts}"
        )
        composed(settled.text)
        lost = tokens(side) - tokens(case.base) - tokens(settled.text)
        assert not lost, f"{take} chosen, and {sorted(lost)} lost:\n{settled.text}"
    if len(result.conflicts) > 1:
        first, *rest = result.conflicts
        partly = merged(case, {first.id: Resolution(take=ONE)})
        left = {conflict.id for conflict in partly.conflicts}
        assert left == {conflict.id for conflict in rest}, "one resolution changed other conflicts"


def law_8_texts_hold(case: Case) -> None:
    """An edited value in place of each contested scalar is in the result."""
    result = merged(case)
    typed = {
        conflict.id: Resolution(text=f"typed{number}")
        for number, conflict in enumerate(result.conflicts)
        if _scalars(conflict)
    }
    settled = merged(case, typed)
    for conflict_id, resolution in typed.items():
        assert conflict_id not in {conflict.id for conflict in settled.conflicts}, "still open"
        assert resolution.text is not None
        assert resolution.text in settled.marked, f"{resolution} is not in\n{settled.marked}"


def law_8_any_choices_hold(case: Case) -> None:
    """Sides, bases and typed values of all shapes, mixed: each one is in the clean result."""
    first = merged(case)
    choices = Choices(case)
    made = choices.mixed(first.conflicts)
    settled = merged(case, made)
    rest = settled.conflicts
    for conflict in rest:
        assert conflict.id not in made, f"still open with {made[conflict.id]}: {conflict}"
        assert conflict.kind in _LATER, f"choices {made} made {conflict}"
    if settled.text is None:
        made |= {conflict.id: Resolution(take="base") for conflict in rest}
        settled = merged(case, made)
        assert settled.text is not None, f"open a third time: {settled.conflicts}"
        composed(settled.text)
        return
    composed(settled.text)
    typed = "\n".join(each.text for each in made.values() if each.text is not None)
    lost = tokens(typed) - tokens(settled.text)
    assert not lost, f"typed, and {sorted(lost)} lost of {made}:\n{settled.text}"
    again = merged(case, dict(reversed(made.items())))
    assert again == settled, "the order of decisions counts"
    _as_by_hand(first, settled, made)


def _as_by_hand(first: Merged, settled: Merged, made: Mapping[str, Resolution]) -> None:
    """Where sides were chosen only: what cutting the marked text down to them gives."""
    assert settled.text is not None
    if any(choice.text is not None for choice in made.values()):
        return
    by_hand = _cut(first, made)
    if by_hand is not None and not settled.text.endswith("\n"):
        by_hand = by_hand.removesuffix("\n").removesuffix("\r")
    try:
        known = by_hand is None or composed(by_hand)
    except Broken:
        return
    if by_hand is None or not known:
        return
    assert comments(by_hand) == comments(settled.text), (
        f"other comments than by hand:\n{by_hand}\n--- but\n{settled.text}"
    )
    if _empties(by_hand) == _empties(settled.text):
        assert same_data(by_hand, settled.text), (
            f"other data than by hand:\n{by_hand}\n--- but\n{settled.text}"
        )


def _empties(text: str) -> int:
    """Collections that lost their last entry are null by hand, and {} or [] in a merge."""
    return sum(text.count(each) for each in ("{}", "[]"))


def _cut(first: Merged, made: Mapping[str, Resolution]) -> str | None:
    """The marked text with each stretch between markers cut down to the side that was chosen.

    None where the stretches are not one for each conflict: one conflict hides in another.
    """
    lines: list[str] = []
    chosen: str | None = None
    section = ""
    sides: list[str] = []
    conflicts = list(first.conflicts)
    for line in first.marked.splitlines(keepends=True):
        mark, _, label = line.rstrip().partition(" ")
        if mark == "<<<<<<<":
            if not conflicts:
                return None
            conflict = conflicts.pop(0)
            sides = [side.branch for side in conflict.sides]
            chosen = made[conflict.id].take
            if label != sides[0]:
                return None
            section = label
        elif chosen is not None and mark == "|||||||":
            section = "base"
        elif chosen is not None and mark == "=======":
            section = label or sides[-1]
            if len(sides) == 1:
                section = "nobody"
        elif chosen is not None and mark == ">>>>>>>":
            chosen = None
        elif chosen is None or section == chosen:
            lines.append(line)
    return None if conflicts else "".join(lines)


def _scalars(conflict: Conflict) -> bool:
    if conflict.kind not in {Kind.BOTH_MODIFIED, Kind.BOTH_ADDED, Kind.TYPE_CHANGE}:
        return False
    variants = [side.variant for side in conflict.sides]
    return conflict.path != "" and all(
        each.present and not isinstance(each.value, (dict, list)) for each in variants
    )
