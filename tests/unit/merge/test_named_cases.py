"""Cases with names: clean ones to the byte, contested ones by kind and place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bps.merge import engine
from bps.merge.records import CANONICAL, Contribution, Resolution
from tests.unit.merge import laws, laws_of_sets
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import merged
from tests.unit.merge.named_cases import CLEAN, CONTESTED, Named

REAL_CASES = "BPS_MERGE_CASES"


def versions(case: Named) -> Case:
    return Case(case.base, case.one, case.other, case.base)


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.name)
def test_it_is_clean(case: Named) -> None:
    result = merged(versions(case))
    assert result.text == case.text, result.conflicts


@pytest.mark.parametrize("case", CONTESTED, ids=lambda case: case.name)
def test_it_is_contested(case: Named) -> None:
    result = merged(versions(case))
    assert result.text is None
    assert tuple((each.kind.value, each.path) for each in result.conflicts) == case.conflicts


@pytest.mark.parametrize("case", [*CLEAN, *CONTESTED], ids=lambda case: case.name)
def test_every_law_holds(case: Named) -> None:
    for law in laws.LAWS:
        law(versions(case))


def test_a_comment_of_an_element_that_another_side_replaced_is_in_the_conflict() -> None:
    result = merged(Case("k:\n  - a\n", "k:\n  - a  # why\n", "k:\n  - b\n"))
    assert "# why" in result.marked


def test_a_rename_is_not_lost_where_canonical_deleted_the_key() -> None:
    sides = [Contribution("other", "k: 1\nz: 1\n", "r: 1\nz: 1\n")]
    result = engine.merge("z: 1\n", sides)
    assert [(each.kind.value, each.path) for each in result.conflicts] == [("rename_modify", "/k")]
    assert {side.branch for side in result.conflicts[0].sides} == {CANONICAL, "other"}


def test_a_comment_beside_an_empty_root_is_not_lost_where_canonical_made_another_ones_edit() -> (
    None
):
    sides = [
        Contribution("other", "k: 1\n", "{}\n"),
        Contribution("third", "{}\n", "{}\n\n# why\n"),
    ]
    assert "# why" in engine.merge("{}\n", sides).marked


def test_a_deleted_comment_does_not_come_back_with_an_inserted_entry() -> None:
    case = Case("# get\na: 1\nb: 1\n", "a: 1\nb: 1\n", "# get\nn: 0\na: 1\nb: 1\n")
    assert merged(case).text == "n: 0\na: 1\nb: 1\n"


def test_a_deleted_comment_that_comes_back_beside_a_conflict_is_told() -> None:
    base = "k2:\n- v3\n- v5\n\n# note\n\n- v7\n"
    case = Case(base, "k2:\n# why\n- v3\n- v5\n- v7\n", "k2:\n- v5\n\n# note\n\n")
    result = merged(case)
    assert [each.kind.value for each in result.conflicts] == ["modify_delete"]
    assert any("'# note' stands twice" in notice.message for notice in result.notices)


@pytest.mark.parametrize("turned", [False, True])
def test_a_comment_that_two_sides_put_to_different_places_stands_once(turned: bool) -> None:
    one, other = "# n\na: 2\nk: 1\n", "# n\n\n# m\n\nk: 3\n"
    result = merged(Case("# n\nk: 1\n", *((other, one) if turned else (one, other))))
    assert result.text is not None
    assert sorted(result.text.split()) == sorted(["#", "n", "#", "m", "a:", "2", "k:", "3"])


def test_an_element_that_two_sides_added_to_different_places_of_a_set_is_there_once() -> None:
    case = Case("k:\n- a\n- b\n", "k:\n- a\n- n\n- b\n", "k:\n- a\n- b\n- n\n")
    result = merged(case)
    assert result.text is None or result.text.count("- n\n") == 1


def test_an_emptied_list_that_was_chosen_closes_its_conflict() -> None:
    case = Case("k:\n- - a\n  - b\n", "k:\n- - n\n  - a\n  - b\n", "k: []\n")
    chosen = {each.id: Resolution(take="other") for each in merged(case).conflicts}
    result = merged(case, chosen)
    assert not result.conflicts
    assert result.text == "k: []\n"


@pytest.mark.parametrize(
    ("base", "texts"),
    [
        ("k: [a, 9, 11]\n", ('k: ["a", 1002, 11]\n', "# c\nk: [a, 9]\n", "k: [a, 9, q]\n")),
        ("k:\n  - a\n", ("k:\n  - v\n", "k:\n  - - n\n  - a\n", "k: []\n")),
        (
            "k:\n- - p\n- - q\n  - r\n- - t\n",
            (
                "k:\n- - p\n- - q\n- - t\n",
                "k:\n- - p\n- - s\n  - r\n- - t\n",
                "k:\n- - p\n- - q\n  - u\n- - t\n",
            ),
        ),
    ],
    ids=["flow list", "insert beside a replacement", "set in a list"],
)
def test_three_versions_conflict_alike_in_any_order(base: str, texts: tuple[str, str, str]) -> None:
    laws_of_sets.law_7_any_arrival(Case(base, *texts))


def test_real_merges_break_no_law() -> None:
    folder = os.environ.get(REAL_CASES)
    if folder is None:
        pytest.skip(f"{REAL_CASES} names no directory of real merges")
    found = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    assert found, f"no cases in {folder}"
    for path in found:
        base, one, other = (
            path.joinpath(f"{name}.yaml").read_bytes().decode()
            for name in ("base", "ours", "theirs")
        )
        result = merged(Case(base, one, other))
        if path.name.startswith("true-conflict"):
            assert result.text is None, f"{path.name}: both changed one value, and it is clean"
        else:
            assert result.text is not None, f"{path.name}: a false conflict"


def test_a_side_that_forked_after_a_rename_is_what_its_choice_gives() -> None:
    canonical = "c: {x: 1, y: 2}\nz: 1\n"
    early = Contribution("P", "b: {x: 1, y: 2}\nz: 1\n", "b: {x: 5, y: 2}\nz: 1\n")
    late = Contribution("Q", canonical, "c: {x: 7, y: 2}\nz: 1\n")
    (conflict,) = engine.merge(canonical, [early, late]).conflicts
    chosen = {
        take: engine.merge(
            canonical, [early, late], resolutions={conflict.id: Resolution(take=take)}
        ).text
        for take in ("P", "Q", CANONICAL)
    }
    assert chosen == {"P": early.text, "Q": late.text, CANONICAL: canonical}


def test_what_follows_the_end_of_a_stream_is_not_lost_beside_another_conflict() -> None:
    case = Case("a: 1\n...\n# x\n", "a: 2\n...\n# one\n", "a: 3\n...\n# other\n")
    assert all(comment in merged(case).marked for comment in ("# one", "# other"))
