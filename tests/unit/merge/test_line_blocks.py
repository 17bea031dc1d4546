"""A block of lines that two sides added at one place, one of them with changes of other blocks."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bps.merge.lcs import matches
from bps.merge.lines import merge_lines, settled_lines
from tests.unit.merge.test_lines import git_merge

CLOSINGS = ("}\n", "fi\n", "\n", "done\n\n", "}\n}\n")


def block(rng: random.Random, name: str, closing: str) -> list[str]:
    body = [rng.choice([f"  {name} {n}\n", "  common\n", "\n"]) for n in range(rng.randrange(4))]
    return [f"{name}\n", *body, *closing.splitlines(keepends=True)]


def added_by_both(rng: random.Random) -> tuple[list[str], list[str], list[str]]:
    """Base, a side with the block and other changes, which is what is wanted, one without them."""
    closings = CLOSINGS if rng.random() < 0.2 else (rng.choice(CLOSINGS),)
    blocks = [block(rng, f"w{n}", rng.choice(closings)) for n in range(rng.randint(1, 6))]
    new, at = block(rng, "z", rng.choice(closings)), rng.randint(0, len(blocks))
    touched = rng.randrange(len(blocks))
    changed = list(blocks)
    for n, lines in enumerate(blocks):
        if n == touched or rng.random() < 0.1:
            middle = (len(lines) - 1) // 2
            edited = [*lines[:middle], f"new {n}\n", *lines[middle + 1 :]]
            changed[n] = rng.choice([[], edited])
    base = [line for each in blocks for line in each]
    ours, theirs = (
        [line for each in [*kept[:at], new, *kept[at:]] for line in each]
        for kept in (changed, blocks)
    )
    return base, ours, theirs


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        ("p } q } r", "q } z } r", "p } q } z } r", "q } z } r"),
        ("w 1 fi", "z fi", "w 1 fi z fi", None),  # replaced and added, or added and deleted
        ("v fi w 1 fi x fi", "v fi z fi", "v fi w 1 fi x fi z fi", None),
    ],
)
def test_a_block_beside_repeated_lines_is_there_once_or_in_conflict(
    base: str, ours: str, theirs: str, result: str | None
) -> None:
    wanted = None if result is None else result.split()
    for sides in ([ours, theirs], [theirs, ours]):
        chunks = merge_lines(base.split(), [side.split() for side in sides])
        assert settled_lines(chunks) == wanted


def test_never_is_another_text_clean_and_mostly_the_block_is_there_once(tmp_path: Path) -> None:
    rng = random.Random(5)
    verdicts: Counter[str] = Counter()
    for _ in range(400):
        base, ours, theirs = added_by_both(rng)
        merged = settled_lines(merge_lines(base, [ours, theirs]))
        assert merged in (ours, None)
        if merged is None and git_merge(tmp_path, base, ours, theirs) == ours:
            verdicts["git alone"] += 1
        else:
            verdicts["conflict" if merged is None else "right"] += 1
    assert verdicts["right"] >= 160
    assert verdicts["git alone"] <= 8


@given(st.randoms(use_true_random=False))
def test_the_block_is_never_there_twice(rng: random.Random) -> None:
    base, ours, theirs = added_by_both(rng)
    assert settled_lines(merge_lines(base, [theirs, ours])) in (ours, None)


LINES = st.lists(st.sampled_from(["}", "", "p", "q", "}}"]), max_size=12)


@given(LINES, LINES)
@example(["p", "}", "q"], ["q", "}", "z"])
def test_lines_without_letters_are_aligned_alike_from_both_sides(
    a: list[str], b: list[str]
) -> None:
    assert [(i, j) for j, i in matches(b, a)] == matches(a, b)


def test_a_line_that_tells_nothing_is_no_anchor_beside_one_that_does() -> None:
    assert matches(["p", "}", "q"], ["q", "}", "z"]) == [(2, 0)]
    assert matches(["p", "}", "q", "q"], ["q", "q", "}", "z"]) == [(2, 0), (3, 1)]
    assert matches(["p", "}", "r"], ["q", "}", "z"]) == [(1, 1)]
