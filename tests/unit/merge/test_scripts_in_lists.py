"""Block scalars in a list, as `script:` has them: known again by their lines, merged by them."""

from __future__ import annotations

import pytest

from bps.merge.records import Kind
from tests.unit.merge import laws
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import merged

SCRIPT = "k:\n- |\n  one\n  two\n  three\n  four\n  five\n"


@pytest.mark.parametrize(
    ("around", "one", "other"),
    [
        ("", ("one", "ONE"), ("five", "five\n  six")),
        ("- make\n", ("one", "ONE"), ("four", "FOUR")),
        ("- |\n  other\n  script\n", ("one\n  two", "ONE"), ("five\n", "")),
        ("- make\n- make\n", ("two", "2"), ("four", "4")),
        ("- make\n", ("one\n  two\n  three", "1\n  2\n  3"), ("five", "5")),
        ("- make\n", ("- |\n  one", "- |\n  ONE"), ("three\n", "")),
    ],
)
def test_edits_of_different_lines_are_both_there(
    around: str, one: tuple[str, str], other: tuple[str, str]
) -> None:
    base = SCRIPT + around
    case = Case(base, base.replace(*one), base.replace(*other))
    assert merged(case).text == base.replace(*one).replace(*other)
    for law in laws.LAWS:
        law(case)


def test_edits_of_one_line_are_in_conflict_at_that_script() -> None:
    base = "k:\n- make\n" + SCRIPT.removeprefix("k:\n")
    conflicts = merged(Case(base, base.replace("two", "2"), base.replace("two", "II"))).conflicts
    assert [(each.kind, each.path) for each in conflicts] == [(Kind.BOTH_MODIFIED, "/k/1")]


def test_another_script_put_in_its_place_is_no_edit_of_it() -> None:
    base = SCRIPT + "- make\n"
    replaced = "k:\n- |\n  a\n  b\n  c\n- make\n"
    assert merged(Case(base, replaced, base.replace("five", "5"))).text is None


def test_a_script_added_beside_one_that_another_side_edits_is_there_too() -> None:
    added = "- |\n  a\n  b\n- make\n"
    base = SCRIPT + "- make\n"
    case = Case(base, SCRIPT + added, base.replace("two", "2"))
    assert merged(case).text == SCRIPT.replace("two", "2") + added


def test_lines_of_a_folded_scalar_are_told_apart_too() -> None:
    base = SCRIPT.replace("|", ">") + "- make\n"
    case = Case(base, base.replace("one", "ONE"), base.replace("five", "5"))
    assert merged(case).text == base.replace("one", "ONE").replace("five", "5")
