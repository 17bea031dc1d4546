"""What one side renamed stands where the old one would stand, as the other side laid it out."""

from __future__ import annotations

import pytest

from tests.unit.merge import laws
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import merged

RENAMED = {"q": "b", "r": "c"}


def containers(names: str) -> str:
    """A list by `name`; what a new name stands for is what the old one stood for."""
    olds = [RENAMED.get(name, name) for name in names]
    pairs = zip(names, olds, strict=True)
    return "".join(f"- name: {name}\n  image: {old * 3}\n  args: [{old}]\n" for name, old in pairs)


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [
        ("aqcd", "axbcd", "axqcd"),
        ("aqcd", "abxcd", "aqxcd"),
        ("aqcd", "acbd", "acqd"),
        ("aqcd", "bacd", "qacd"),
        ("aqcd", "acdb", "acdq"),
        ("aqcd", "abxrd", "aqxrd"),
        ("qacd", "abxcd", "qaxcd"),
        ("aqcd", "abd", "aqd"),
    ],
)
def test_what_the_other_side_added_or_moved_beside_it_stands_as_there(
    one: str, other: str, result: str
) -> None:
    for first, second in ((one, other), (other, one)):
        case = Case(containers("abcd"), containers(first), containers(second))
        assert merged(case).text == containers(result)
        for law in laws.LAWS:
            law(case)


def test_a_renamed_key_of_a_mapping_does_too() -> None:
    base, one = "a: 1\nb: text\nc: 3\n", "a: 1\nq: text\nc: 3\n"
    other = "a: 1\nx: 5\nb: text\nc: 3\n"
    for first, second in ((one, other), (other, one)):
        assert merged(Case(base, first, second)).text == "a: 1\nx: 5\nq: text\nc: 3\n"


def test_many_renamed_keys_stay_in_order() -> None:
    names = [f"k{at}" for at in range(400)]
    base = "".join(f"{name}: text of {name}\n" for name in names)
    one = "".join(f"new-{name}: text of {name}\n" for name in names)
    assert merged(Case(base, one, "z: 1\n" + base)).text == "z: 1\n" + one


TASKS = "tasks:\n- id: a\n  x: text\n  y: more\n- id: b\n  x: other\n"
STAGES = "one: 1\ntwo:\n  x: text\n  y: more\nthree: 3\n"


@pytest.mark.parametrize(
    ("base", "old", "new"), [(TASKS, "- id: a\n", "- id: q\n"), (STAGES, "two:\n", "q:\n")]
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  y: more", "\n  y: more"),
        ("  y: more", "  y: 'more'"),
        ("  x: text\n  y: more\n", "  y: more\n  x: text\n"),
        ("x: text\n  y: more\n", "x:   text\n\n  y:   more\n"),
        ("OLD", "\n\nOLD"),
    ],
)
def test_layout_that_the_other_side_changed_below_it_or_before_it_is_in_the_result(
    base: str, old: str, new: str, before: str, after: str
) -> None:
    before, after = before.replace("OLD", old), after.replace("OLD", old)
    one, other = base.replace(old, new), base.replace(before, after)
    for first, second in ((one, other), (other, one)):
        case = Case(base, first, second)
        assert merged(case).text == other.replace(old, new)
        for law in laws.LAWS:
            law(case)


def test_so_is_layout_that_one_of_two_changed_who_renamed_it_alike() -> None:
    base = STAGES.replace("  y: more", "\n  y: more")
    one, other = base.replace("two", "q"), STAGES.replace("two", "q")
    for first, second in ((one, other), (other, one)):
        assert merged(Case(base, first, second)).text == other
