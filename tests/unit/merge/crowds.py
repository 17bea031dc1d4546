"""Sets of contributions that forked from several versions of canonical, which moved on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.merge import engine
from bps.merge.declared import from_policy
from bps.merge.records import Contribution, Merged
from tests.unit.merge.cases import SHOWN, declared_for
from tests.unit.merge.declarations import outgrown
from tests.unit.merge.documents import Document
from tests.unit.merge.drawing import Drawing
from tests.unit.merge.edits import edited
from tests.unit.merge.leaves import Pick

_STRIDE = 1000
"""The numbers that each version gives out."""


@dataclass(frozen=True)
class Crowd:
    """Canonical, and three to five contributions. `groups` are those of one promotion each."""

    canonical: str
    contributions: tuple[Contribution, ...]
    groups: tuple[tuple[Contribution, ...], ...]
    declared: tuple[tuple[str, str], ...]
    outgrown: tuple[str, ...]

    def __repr__(self) -> str:
        """As a report shows it: every text on its own."""
        shown = f"Crowd:\n--- canonical\n{self.canonical[:SHOWN]}"
        for each in self.contributions:
            shown += f"\n--- base of {each.label}\n{each.base[:SHOWN]}"
            shown += f"\n--- {each.label}\n{each.text[:SHOWN]}"
        groups = [[each.label for each in group] for group in self.groups]
        return f"{shown}\n--- groups {groups}\n--- declared {str(dict(self.declared))[:SHOWN]}\n"

    def merged(self, contributions: Sequence[Contribution], canonical: str | None = None) -> Merged:
        """Some contributions, into canonical or what became of it."""
        into = self.canonical if canonical is None else canonical
        return engine.merge(into, contributions, strategies=from_policy(dict(self.declared)))


def drawn_crowd(pick: Pick) -> Crowd:
    """Canonical after no, one or two edits of its own, and who forked from any of its versions."""
    versions = [Drawing(pick).document()]
    declared = declared_for(pick, versions[0])
    for number in range(pick(3)):
        versions.append(edited(Drawing(pick, _STRIDE * (number + 7)), versions[-1], 2).document)
    contributions = []
    models: list[Document] = list(versions)
    for number in range(3 + pick(3)):
        base = versions[pick(len(versions))]
        model = edited(Drawing(pick, _STRIDE * (number + 1)), base, 2).document
        models.append(model)
        contributions.append(Contribution(f"rr-{number}", base.text, model.text))
    groups: list[list[Contribution]] = [[], []]
    for each in contributions:
        groups[pick(2)].append(each)
    return Crowd(
        versions[-1].text,
        tuple(contributions),
        tuple(tuple(group) for group in groups if group),
        declared,
        tuple(source for model in models for source in outgrown(model, dict(declared))),
    )
