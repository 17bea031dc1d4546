"""Comparing blueprints, or values in them, as data, for people (deepdiff); decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from deepdiff import DeepDiff

from bps.api.views import Change, DiffView
from bps.blueprint.data import load

_KINDS: dict[str, Literal["added", "removed", "changed"]] = {
    "dictionary_item_added": "added",
    "iterable_item_added": "added",
    "dictionary_item_removed": "removed",
    "iterable_item_removed": "removed",
    "values_changed": "changed",
    "type_changes": "changed",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One difference; `lines` are those that went (`-`) and came (`+`) in a text of several."""

    change: Change
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, and whether even the bytes are the same."""

    identical: bool
    changes: list[Change]

    def view(self, plan: str, left: str, right: str) -> DiffView:
        """For printing."""
        return DiffView(
            plan=plan, left=left, right=right, identical=self.identical, changes=self.changes
        )


def compare_blueprints(before: bytes, after: bytes) -> Comparison:
    """The differences of two blueprints that passed the profile, in the order of their paths."""
    if before == after:
        return Comparison(identical=True, changes=[])
    one, other = load(before.decode()), load(after.decode())
    changes = [each.change for each in compare_values(one, other)]
    return Comparison(identical=False, changes=changes)


def compare_values(before: Any, after: Any) -> list[Compared]:  # noqa: ANN401 - any YAML data
    """The differences of two values, in the order of their paths."""
    found = DeepDiff(before, after, view="tree", verbose_level=2)
    changes = [
        Compared(
            Change(
                path=_pointer(item.path(output_format="list")),
                kind=kind,
                before=None if kind == "added" else item.t1,
                after=None if kind == "removed" else item.t2,
            ),
            _lines(item.additional.get("diff", "")),
        )
        for group, kind in _KINDS.items()
        for item in found.get(group, ())
    ]
    return sorted(changes, key=lambda each: each.change.path)


def _lines(unified: str) -> tuple[str, ...]:
    """The lines that went and came of a unified diff, behind its two lines of names."""
    return tuple(line for line in unified.splitlines()[2:] if line.startswith(("-", "+")))


def _pointer(path: list[str | int]) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
