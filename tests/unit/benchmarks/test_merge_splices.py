"""The random edits of the merge benchmark, and the count of what stays outside them."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.merge.inputs import EDITS, Versions, neighbouring, scattered
from benchmarks.merge.judging import meaning
from benchmarks.merge.splices import Splice, kept_share, spliced, two_sides
from tests.checkout import SAMPLES

TEXT = "a: 1\nb: 2\nc: 3\n"
CHANGE_B = Splice(8, 9, "5")


def test_all_is_kept_where_only_the_splice_changed() -> None:
    assert kept_share(TEXT, [CHANGE_B], "a: 1\nb: 5\nc: 3\n") == (14, 14)


@pytest.mark.parametrize(
    ("result", "kept"),
    [("a: 1\nb: 5\nc:  3\n", 9), ("a: 1\nb:  5\nc: 3\n", 10), ("b: 5\nc: 3\n", 9), ("", 0)],
)
def test_a_line_with_another_byte_is_not_kept(result: str, kept: int) -> None:
    assert kept_share(TEXT, [CHANGE_B], result) == (kept, 14)


def test_a_line_that_moved_up_is_not_kept() -> None:
    kept, total = kept_share(TEXT, [], "b: 2\na: 1\nc: 3\n")
    assert kept < total


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", range(5))
def test_both_sides_and_their_union_are_yaml_and_differ(sample: Path, seed: int) -> None:
    text = sample.read_text()
    by_a, by_b = two_sides(text, random.Random(seed))
    texts = [text, *(spliced(text, each) for each in (by_a, by_b, [*by_a, *by_b]))]
    read = [repr(meaning(each)) for each in texts]
    assert len(set(read)) == len(read)
    ordered = sorted([*by_a, *by_b])
    assert all(one.end <= other.start for one, other in pairwise(ordered))


@pytest.mark.parametrize("made", [scattered, neighbouring])
def test_generated_sides_have_all_their_edits_and_the_merged_text_both(
    made: Callable[[int, int], Versions],
) -> None:
    versions = made(10_000, 1)
    base, a, b, merged = (text.splitlines() for text in versions)
    assert 10_000 <= len(versions.base) < 12_000
    by_a = {at for at, line in enumerate(base) if a[at] != line}
    by_b = {at for at, line in enumerate(base) if b[at] != line}
    assert len(by_a) == len(by_b) == EDITS
    assert not by_a & by_b
    assert merged == [a[at] if at in by_a else b[at] for at in range(len(base))]
