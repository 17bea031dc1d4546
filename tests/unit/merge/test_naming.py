"""Two sides that add scalars of one name to a list meant one thing, and a person decides."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bps.merge import engine
from bps.merge.records import Contribution
from tests.unit.merge import laws
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import merged

RIVALS = [
    ("LOG=info", "LOG=debug"),
    ("numpy=1.20", "numpy=1.21"),
    ("numpy>=1.20", "numpy <2"),
    ("numpy~=1.20", "numpy"),
    ("--replicas=3", "--replicas=4"),
    ("LOG", "LOG=1"),
    ("OPTS=-a -b", "OPTS=-a -c"),
    ("'@babel/core@7.1'", "'@babel/core@7.2'"),
    ("git+https://example.org/x@v1", "git+https://example.org/x@v2"),
]
STRANGERS = [
    ("LOG=info", "LEVEL=info"),
    ("host:80", "host:443"),
    ("team:ui", "team:api"),
    ("someone@here", "someone@there"),
    ("make CC=gcc", "make CC=clang"),
    ("src/**", "src/*"),
    ("'1'", "2"),
]


def listed(*elements: str) -> str:
    return "z: 1\nk:\n" + "".join(f"  - {each}\n" for each in elements)


def both(one: list[str], other: list[str], base: tuple[str, ...] = ("p", "q")) -> Case:
    return Case(listed(*base), listed(*one), listed(*other))


def conflicts(case: Case) -> list[tuple[str, str]]:
    return [(each.kind.value, each.path) for each in merged(case).conflicts]


@pytest.mark.parametrize(("one", "other"), RIVALS)
def test_two_scalars_of_one_name_are_in_conflict_in_one_gap_and_apart(one: str, other: str) -> None:
    near = both(["p", "q", one], ["p", "q", other])
    apart = both(["p", one, "q"], ["p", "q", other])
    for case in (near, apart):
        assert conflicts(case) == [("list_insert", "/k")]
        for law in laws.LAWS:
            law(case)


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_what_is_not_surely_one_name_goes_in_from_both(one: str, other: str) -> None:
    assert merged(both(["p", "q", one], ["p", "q", other])).text == listed("p", "q", one, other)


def test_a_list_in_which_a_version_says_a_name_twice_takes_both() -> None:
    base = ("--branch=a", "--branch=b")
    case = both([*base, "--branch=c"], [*base, "--branch=d"], base)
    assert merged(case).text == listed(*base, "--branch=c", "--branch=d")
    case = both(["p", "q", "-e=1", "-e=2"], ["p", "q", "-e=3"])
    assert merged(case).text == listed("p", "q", "-e=1", "-e=2", "-e=3")


def test_an_addition_beside_an_edit_of_the_scalar_with_another_name_is_taken() -> None:
    case = both(["LOG=2", "q"], ["LOG=1", "q", "LEVEL=3"], ("LOG=1", "q"))
    assert merged(case).text == listed("LOG=2", "q", "LEVEL=3")


FORKS = {
    "added to two forks": (("p", "q"), ("p", "q", "LOG=1"), ("p", "q", "r"), "LOG=2"),
    "there already": (("p", "q"), ("LOG=1", "p", "q"), ("p", "q", "LOG=2"), "s"),
}


@pytest.mark.parametrize("versions", FORKS.values(), ids=FORKS)
def test_editors_of_two_forks_that_add_one_name_are_in_conflict(
    versions: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str],
) -> None:
    fork, early, canonical, added = versions
    sides = [
        Contribution("early", listed(*fork), listed(*early)),
        Contribution("late", listed(*canonical), listed(*canonical, added)),
    ]
    results = [engine.merge(listed(*canonical), order) for order in (sides, sides[::-1])]
    assert [each.path for each in results[0].conflicts] == ["/k"]
    assert all(
        [each.id for each in one.conflicts] == [each.id for each in other.conflicts]
        for one, other in pairwise(results)
    )
