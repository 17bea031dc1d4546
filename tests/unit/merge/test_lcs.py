"""The alignment of two sequences: valid, symmetrical, near the longest, bounded in cost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Hashable, Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bps.merge.lcs import BUDGET, LONGEST_EDIT_IN_NEED, Pair, _Search, matches

ELEMENTS: list[Hashable] = [
    "a",
    "b",
    "",
    ("plain", "1"),
    ("sequence", "a", ("plain", "1")),
    frozenset({("k", "v")}),
    frozenset({("k", "w")}),
    frozenset({("k", frozenset({("l", "v")}))}),
    ("tag", "!x", frozenset({("k", "v")})),
]
MIXED = st.lists(st.sampled_from(ELEMENTS), max_size=14)
FEW = st.lists(st.integers(0, 2), max_size=16)


def is_alignment(a: Sequence[Hashable], b: Sequence[Hashable], pairs: list[Pair]) -> bool:
    rising = all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))
    return rising and all(a[i] == b[j] for i, j in pairs)


def longest(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    row = [0] * (len(b) + 1)
    for element in a:
        last = 0
        for j, other in enumerate(b):
            last, row[j + 1] = (
                row[j + 1],
                last + 1 if element == other else max(row[j + 1], row[j]),
            )
    return row[-1]


def trimmed(a: list[int], b: list[int]) -> tuple[list[int], list[int]]:
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return a, b


@given(MIXED, MIXED)
def test_pairs_rise_and_are_equal(a: list[Hashable], b: list[Hashable]) -> None:
    assert is_alignment(a, b, matches(a, b))


@given(MIXED, MIXED)
@example(["a", "b"], ["b", "a"])
@example([ELEMENTS[5], ELEMENTS[6]], [ELEMENTS[6], ELEMENTS[5]])
@example(["a", ELEMENTS[5]], [ELEMENTS[5], "a"])
@example(["a", "a", "b", "b"], ["b", "b", "a", "a"])
def test_the_sides_may_be_swapped(a: list[Hashable], b: list[Hashable]) -> None:
    assert [(i, j) for j, i in matches(b, a)] == matches(a, b)


@given(MIXED)
def test_equal_sequences_are_aligned_whole(a: list[Hashable]) -> None:
    assert matches(a, list(a)) == [(i, i) for i in range(len(a))]


@given(MIXED, MIXED)
def test_what_is_common_is_never_missed_altogether(a: list[Hashable], b: list[Hashable]) -> None:
    assert bool(matches(a, b)) is bool(set(a) & set(b))


@given(FEW, FEW)
def test_without_anchors_the_alignment_is_a_longest_one(a: list[int], b: list[int]) -> None:
    inner_a, inner_b = trimmed(a, b)
    assume(not any(inner_a.count(each) == 1 == inner_b.count(each) for each in range(3)))
    assert len(matches(a, b)) == longest(a, b)


@given(st.permutations(range(9)), st.permutations(range(9)))
def test_of_anchors_the_longest_increasing_run_is_kept(a: list[int], b: list[int]) -> None:
    assert len(matches(a, b)) == longest(a, b)


@given(st.lists(st.integers(), unique=True), st.data())
def test_deleting_or_inserting_loses_no_match(a: list[int], data: st.DataObject) -> None:
    kept = [each for each in a if data.draw(st.booleans())]
    assert len(matches(a, kept)) == len(kept)


def test_a_block_between_repeated_lines_is_found_by_its_unique_lines() -> None:
    a = ["{", "one", "}", "{", "two", "}"]
    b = ["{", "new", "}", "{", "one", "}", "{", "two", "}"]
    assert {(1, 4), (4, 7)} <= set(matches(a, b))


def test_how_one_place_is_aligned_does_not_hang_on_another_place() -> None:
    base = ["p", "q", "mid", "x"]
    assert matches(base, ["q", "p", "mid", "x"])[0] == matches(base, ["q", "p", "mid", "a", "x"])[0]
    assert matches(base, ["q", "p", "mid", "x"])[0] == matches(base, ["q", "p", "mid"])[0]


def test_which_of_two_swapped_elements_is_kept_does_not_hang_on_another_swap() -> None:
    base = ["q", "p", "mid", "x", "y"]
    apart = [pair for pair in matches(base, ["q", "p", "mid", "y", "x"]) if pair > (2, 2)]
    assert len(apart) == 1
    assert [p for p in matches(base, ["p", "q", "mid", "y", "x"]) if p > (2, 2)] == apart


HOSTILE_SIZE = 20_000
CPU_LIMIT_S = 5.0


def hostile(name: str) -> tuple[list[int], list[int]]:
    rng = random.Random(7)
    half = HOSTILE_SIZE // 2
    if name == "two values":
        return [rng.randrange(2) for _ in range(half)], [rng.randrange(2) for _ in range(half)]
    if name == "blocks moved":
        return [0] * half + [1] * half, [1] * half + [0] * half
    if name == "out of step":
        return [0, 1] * half, [1, 1, 0] * half
    if name == "pairs shuffled":
        shuffled = rng.sample(range(half), half)
        return [n for n in range(half) for _ in "12"], [n for n in shuffled for _ in "12"]
    stairs = [step for n in range(half) for step in (n, n + 1)]
    return stairs, [*stairs[3:], -1, *stairs[:3]]


@pytest.mark.parametrize(
    "name", ["two values", "blocks moved", "out of step", "pairs shuffled", "stairs"]
)
def test_hostile_input_is_aligned_within_the_stated_cost(name: str) -> None:
    a, b = hostile(name)
    search = _Search(list(a), list(b))
    began = time.process_time()
    search.stretch(0, len(a), 0, len(b), 0)
    assert time.process_time() - began < CPU_LIMIT_S
    assert is_alignment(a, b, search.pairs)
    assert search.pairs
    assert BUDGET - search.budget <= BUDGET + 40 * (len(a) + len(b))


def test_a_spent_budget_shortens_the_alignment_and_keeps_it_valid() -> None:
    rng = random.Random(3)
    a, b = ([rng.randrange(4) for _ in range(400)] for _ in "ab")
    search = _Search(list(a), list(b))
    search.budget = 0
    search.stretch(0, len(a), 0, len(b), 0)
    assert is_alignment(a, b, search.pairs)
    assert LONGEST_EDIT_IN_NEED < len(search.pairs) < len(matches(a, b)) == longest(a, b)


@given(st.lists(st.integers(0, 5), max_size=60), st.lists(st.integers(0, 5), max_size=12))
def test_without_any_budget_what_is_common_is_still_found(a: list[int], b: list[int]) -> None:
    search = _Search(list(a), list(b))
    search.budget = 0
    search.stretch(0, len(a), 0, len(b), 0)
    assert is_alignment(a, b, search.pairs)
    assert bool(search.pairs) is bool(set(a) & set(b))


def test_every_process_aligns_alike_whatever_its_hashes_are() -> None:
    program = (
        "from bps.merge.lcs import matches\n"
        "e = [frozenset({('k', str(n)), ('l', str(-n))}) for n in range(6)]\n"
        "print(matches(e + e[:3], e[::-1] + e[2:4]), matches(e[:2], e[1::-1]))\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(answers) == 1


def test_what_a_git_merge_starts_imports_nothing_slow() -> None:
    modules = "lcs, lines, second_opinion, strategies, declared, x_merge, extremes"
    program = (
        f"import sys\nfrom bps.merge import {modules}\n"
        "slow = {'dataclasses', 'difflib', 'inspect', 'pydantic', 'json', 'datetime', 'bps.core'}\n"
        "print(sorted(slow & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
