"""What a person may decide on conflicts: any side, the base, or a value of any shape typed in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from zlib import crc32

from bps.merge.records import Conflict, Kind, Resolution
from tests.unit.merge.cases import Case

_FIRST = 900_000
"""The numbers of typed text begin here: no drawn one is as great."""
_VALUES = (
    "v{a}",
    '"v{a}: # v{b}"',
    "v{a} is long\nand goes on to v{b}",
    "!own v{a}",
    "{{k{a}: v{b}}}",
    "[v{a}, v{b}]",
    "k{a}: v{b}\nk{b}x:\n- v{b}y",
    "k{a}:  # note-{b}\n  v{b}: 1",
    "- v{a}\n- k{b}: 1\n  k{b}x: 2",
    "-   v{a}  # note-{b}\n-   - v{b}",
    "|\n  v{a}\n\n    v{b}",
    ">-\n  v{a}\n  # v{b}",
    "{{}}",
)
_LISTS = ("- v{a}\n- v{b}\n", "-   k{a}: 1\n    k{b}: 2", "- [v{a}]\n- |\n  v{b}", "- v{a}")
_PAIRS = ("k{a}: v{b}", "k{a}:\n  v{b}: 1", "k{a}: |\n  v{b}", "k{a}:\n- v{b}", '"k{a}": [v{b}]')

_DASH = re.compile(r"\A(?:\s*(?:#.*)?\n)*\s*- ")
"""The beginning of a list's element."""


class Choices:
    """Decisions for the conflicts of one case, the same ones each time."""

    def __init__(self, case: Case) -> None:
        self._random = Random(crc32(f"{case.base}{case.one}{case.other}".encode()))
        self._next = _FIRST

    def mixed(self, conflicts: Sequence[Conflict]) -> dict[str, Resolution]:
        """One for each conflict."""
        return {conflict.id: self._of(conflict) for conflict in conflicts}

    def _of(self, conflict: Conflict) -> Resolution:
        takes = ["base", *(side.branch for side in conflict.sides)]
        take = self._random.choice([*takes, ""])
        if take or conflict.kind in {Kind.DOCUMENT, Kind.ANCHOR} or conflict.path == "":
            return Resolution(take=take or takes[1])
        return Resolution(text=self.typed(conflict))

    def typed(self, conflict: Conflict) -> str:
        """A text that fits what the conflict is about."""
        variants = [conflict.base, *(side.variant for side in conflict.sides)]
        found = [each for each in variants if each.present]
        forms: tuple[str, ...] = _VALUES
        if all(each.value is None and each.text.lstrip().startswith("#") for each in found):
            forms = ("# note-{a}", "# note-{a}\n# note-{b}", "")
        elif conflict.kind == Kind.RENAME_MODIFY and not _DASH.search(found[0].text):
            forms = _PAIRS
        elif any(isinstance(each.value, list) for each in found):
            forms = _LISTS
        self._next += 2
        return self._random.choice(forms).format(a=self._next, b=self._next + 1)
