"""Typed values that fit nowhere: what is wrong with them, however the rest is decided.

Whether a value can stand is seen once the whole text is put together, and other places may be
undecided then: one way to decide these suffices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bps.blueprint.profile import check
from bps.core.errors import InvalidBlueprint
from bps.merge.records import CANONICAL, Conflict, Merged, Resolution
from bps.merge.refusals import Unreadable
from bps.merge.semantic import Decision
from bps.merge.typed import Alias, aliases_in

Merge = Callable[[Sequence[Decision]], Merged]
_PROFILE = "profile"
"""In place of a conflict's id."""


class UnfitValue(NamedTuple):
    """The value typed for the conflict at `path`; `line` and `column`, from 1, are those in it."""

    conflict: str
    path: str
    line: int
    column: int
    why: str


def unfit_values(
    merge: Merge, bare: Sequence[Conflict], decided: Merged, decisions: Sequence[Decision]
) -> list[UnfitValue]:
    """Those of `decisions` that make a conflict which a version at their place would not make.

    `merge` gives what the texts come to with some decisions; `bare` are the conflicts without any,
    and those that came up by decisions and were decided; `decided` is what `decisions`, each of
    which meets one of these, come to.
    Cost: the profile's check of a text, or one merge where places are undecided; where a value
    does not fit, one for each editor and each typed value besides.
    """
    typed = [each for each in decisions if each.resolution.text is not None]
    made = {each.conflict for each in decisions}
    undecided = [each for each in bare if each.id not in made]
    trial = _Trial(merge, bare)
    if not typed or not (undecided or trial.new(decided)):
        return []
    found: list[UnfitValue] = []
    for label in trial.labels if undecided else (CANONICAL,):
        rest = [trial.taking(each.id, each.path, label) for each in undecided]
        new = trial.outcome([*decisions, *rest])
        misfits = [each for each in typed if trial.misfit(each, decisions, rest, new)]
        if not misfits:
            return []
        found = found or [_told(each, new) for each in misfits]
    return found


class _Trial:
    """What the texts come to where versions stand in place of some decisions."""

    def __init__(self, merge: Merge, bare: Sequence[Conflict]) -> None:
        self._merge = merge
        self._sides = {each.id: [side.branch for side in each.sides] for each in bare}
        self.labels = tuple(dict.fromkeys(label for each in self._sides.values() for label in each))

    def new(self, merged: Merged) -> dict[str, str | None]:
        """What is told of the conflicts that no version alone makes, by their ids.

        A text that breaks the profile is as bad as a conflict.
        """
        sides = self._sides
        found = {each.id: each.finding for each in merged.conflicts if each.id not in sides}
        if merged.text is not None:
            try:
                check(merged.text.encode())
            except InvalidBlueprint as error:
                said = error.message.rstrip(".")
                found[_PROFILE] = f"in the result, {said[:1].lower()}{said[1:]}"
        return found

    def outcome(self, decisions: Sequence[Decision]) -> dict[str, str | None]:
        """As `new`, for what these decisions come to."""
        return self.new(self._merge(decisions))

    def taking(self, conflict: str, path: str, label: str) -> Decision:
        """The version of `label` there, or of another one where that has none."""
        sides = self._sides[conflict]
        return Decision(conflict, path, Resolution(label if label in sides else sides[0]))

    def misfit(
        self,
        typed: Decision,
        decisions: Sequence[Decision],
        rest: Sequence[Decision],
        new: dict[str, str | None],
    ) -> bool:
        """Whether a version in place of `typed` makes one of `new` go."""
        if not new:
            return False
        instead = self.taking(typed.conflict, typed.path, CANONICAL)
        others = [each for each in decisions if each.conflict != typed.conflict]
        try:
            left = self.outcome([*others, *rest, instead])
        except Unreadable:
            # Another value needs this one's anchor.
            return False
        return not new.keys() <= left.keys()


def _told(typed: Decision, new: dict[str, str | None]) -> UnfitValue:
    why = next(filter(None, new.values()), "put together, the text reads as something else")
    try:
        aliases = aliases_in(typed.resolution.text or "")
    except Unreadable:
        aliases = []
    named = (each for each in aliases if f"*{each.name} " in why)
    at = next(named, Alias(1, 1, ""))
    return UnfitValue(typed.conflict, typed.path, at.line, at.column, why)
