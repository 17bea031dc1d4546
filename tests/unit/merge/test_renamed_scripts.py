"""A key that was renamed while some lines of its block scalar were edited is known again."""

from __future__ import annotations

import pytest

from tests.unit.merge import laws
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import merged

BASE = "a: 1\nrun: |\n  first\n  second\n  third\n  fourth\nz: 1\n"
RENAMED = BASE.replace("run", "go").replace("first", "FIRST")
EDITED = BASE.replace("fourth", "FOURTH")
BOTH = RENAMED.replace("fourth", "FOURTH")


def both_orders(other: str) -> list[Case]:
    return [Case(BASE, RENAMED, other), Case(BASE, other, RENAMED)]


@pytest.mark.parametrize("other", ["a: 1\nz: 1\n", EDITED.replace("run", "so"), EDITED])
def test_it_is_in_conflict_with_what_the_other_side_did_to_it(other: str) -> None:
    for case in both_orders(other):
        (conflict,) = merged(case).conflicts
        assert (conflict.path, conflict.kind) == ("/run", "rename_modify")
        told = "=go: |\n  FIRST\n  second\n  third\n  FOURTH\n" if other == EDITED else None
        assert conflict.suggestion == told
        for law in laws.LAWS:
            law(case)


@pytest.mark.parametrize(
    ("other", "result"),
    [
        (EDITED.replace("run", "go"), BOTH),
        (BASE.replace("run", "\nrun"), RENAMED.replace("go", "\ngo")),
        (BASE.replace("z: 1", "z: 2"), RENAMED.replace("z: 1", "z: 2")),
    ],
)
def test_it_is_merged_with_what_goes_together(other: str, result: str) -> None:
    for case in both_orders(other):
        assert merged(case).text == result
        for law in laws.LAWS:
            law(case)


def test_a_script_that_shares_less_than_half_of_its_lines_is_another_one() -> None:
    other = "a: 1\ngo: |\n  first\n  fifth\n  sixth\nz: 1\n"
    for case in (Case(BASE, other, "a: 1\nz: 1\n"), Case(BASE, "a: 1\nz: 1\n", other)):
        assert merged(case).text == other
