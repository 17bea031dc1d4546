"""Cases: a base and versions of it, drawn with the edits that made them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bps.merge.declared import from_policy
from bps.merge.strategies import Strategies
from tests.unit.merge.declarations import declared, outgrown
from tests.unit.merge.documents import Document, at_entry, entries
from tests.unit.merge.drawing import Drawing
from tests.unit.merge.edits import Edit, edited
from tests.unit.merge.leaves import Pick
from tests.unit.merge.regions import regions

SHOWN = 2_000
"""Characters of a text that a report shows."""
_VALUE = re.compile(r": (\S+)")
_STRIDE = 1000
"""Apart: the numbers that each version gives out."""


@dataclass(frozen=True)
class Case:
    """Three versions of one base. `models` are base, one, other, third, where they were drawn."""

    base: str
    one: str
    other: str
    third: str = ""
    models: tuple[Document, ...] = field(default=(), repr=False)
    edits: tuple[tuple[Edit, ...], ...] = ()
    declared: tuple[tuple[str, str], ...] = ()

    @property
    def strategies(self) -> Strategies:
        """What is declared, as the engine takes it."""
        return from_policy(dict(self.declared))

    @property
    def outgrown(self) -> list[str]:
        """The values of which the greatest stays; where nothing was drawn, all are asked for."""
        if not self.models and any(name.startswith("max") for _, name in self.declared):
            return _VALUE.findall(f"{self.base}{self.one}{self.other}")
        return [source for model in self.models for source in outgrown(model, dict(self.declared))]

    def __repr__(self) -> str:
        """As a report shows it: every text on its own."""
        texts = (("base", self.base), ("one", self.one), ("other", self.other))
        # Hypothesis refuses to print more.
        shown = "".join(f"\n--- {name}\n{text[:SHOWN]}" for name, text in texts)
        third = f"\n--- third\n{self.third[:SHOWN]}" if self.third not in {"", self.base} else ""
        declared = f"\n--- declared\n{dict(self.declared)}"[:SHOWN] if self.declared else ""
        edits = "".join(f"\n{[tuple(edit) for edit in each]}" for each in self.edits)
        return f"Case:{shown}{third}{declared}\n--- edits{edits}\n"


def drawn_case(pick: Pick) -> Case:
    """A base and three versions; now and then two of them begin with the same new numbers."""
    base = Drawing(pick).document()
    twins = pick(6) == 5
    versions = [
        edited(Drawing(pick, _STRIDE * (1 if twins else number)), base) for number in (1, 2, 3)
    ]
    models = (base, *(each.document for each in versions))
    texts = [each.text for each in models]
    return Case(
        texts[0],
        texts[1],
        texts[2],
        texts[3],
        models=models,
        edits=tuple(each.edits for each in versions),
        declared=declared_for(pick, base),
    )


def declared_for(pick: Pick, base: Document) -> tuple[tuple[str, str], ...]:
    """Strategies for two documents in three."""
    return tuple(declared(pick, base).items()) if pick(3) else ()


@dataclass(frozen=True)
class Apart:
    """Two versions whose edits lie in different entries, and the text that has both."""

    case: Case
    both: str

    def __repr__(self) -> str:
        """As a report shows it."""
        return repr(self.case)


def drawn_apart(pick: Pick) -> Apart | None:
    """Edits inside two entries that are known again wherever they stand; None without two."""
    base = Drawing(pick).document()
    found = regions(base)
    if len(found) < 2:
        return None
    first = found.pop(pick(len(found)))
    rest = [each for each in found if not each[1] & first[1]]
    if not rest:
        return None
    second = rest[pick(len(rest))]
    one = edited(Drawing(pick, _STRIDE), base, 3, first[1])
    other = edited(Drawing(pick, 2 * _STRIDE), base, 3, second[1])
    both = base
    for version, uid in ((one, first[0].uid), (other, second[0].uid)):
        both = replaced(both, version.document, uid)
    models = (base, one.document, other.document)
    case = Case(
        base.text,
        one.document.text,
        other.document.text,
        models=models,
        edits=(one.edits, other.edits),
        declared=declared_for(pick, base),
    )
    return Apart(case, both.text)


def replaced(document: Document, source: Document, uid: int) -> Document:
    """The document with one entry as another version has it."""
    entry = next(entry for _, entry, _ in entries(source) if entry.uid == uid)
    return at_entry(document, uid, lambda _: (entry,))
