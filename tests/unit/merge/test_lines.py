"""diff3 on lines: its laws, and the same verdicts as git's."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bps.merge.lines import Chunk, Contested, Settled, merge_lines, settled_lines, split_lines

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=10)
SIDES = st.lists(LINES, min_size=1, max_size=4)


def words(text: str) -> list[str]:
    return text.split()


def side_of(chunks: list[Chunk], side: int) -> list[str]:
    lines: list[str] = []
    for chunk in chunks:
        if isinstance(chunk, Contested):
            lines += chunk.sides[side]
        else:
            lines += chunk.lines if side in chunk.changed else chunk.base
    return lines


@given(st.text(alphabet="ab\n\r\x85\u2028\x0b"))
def test_lines_put_together_are_the_text(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert all(line.count("\n") == 1 and line.endswith("\n") for line in lines[:-1])


@given(LINES, LINES)
def test_one_editor_gets_exactly_what_was_written(base: list[str], edited: list[str]) -> None:
    assert settled_lines(merge_lines(base, [base, edited])) == edited
    assert settled_lines(merge_lines(base, [edited, base])) == edited
    assert settled_lines(merge_lines(base, [edited, edited])) == edited


@given(LINES, SIDES, st.randoms(use_true_random=False))
def test_the_order_of_the_sides_decides_nothing(
    base: list[str], sides: list[list[str]], rng: random.Random
) -> None:
    order = list(range(len(sides)))
    rng.shuffle(order)
    renamed: list[Chunk] = []
    for chunk in merge_lines(base, [sides[side] for side in order]):
        changed = tuple(sorted(order[side] for side in chunk.changed))
        if isinstance(chunk, Settled):
            renamed.append(chunk._replace(changed=changed))
        else:
            there = tuple(chunk.sides[order.index(side)] for side in range(len(sides)))
            renamed.append(chunk._replace(sides=there, changed=changed))
    assert renamed == merge_lines(base, sides)


@given(LINES, SIDES)
def test_nothing_of_any_side_is_lost(base: list[str], sides: list[list[str]]) -> None:
    chunks = merge_lines(base, sides)
    assert [line for chunk in chunks for line in chunk.base] == base
    for side, lines in enumerate(sides):
        assert side_of(chunks, side) == lines


@given(LINES, SIDES)
def test_a_chunk_is_settled_exactly_where_all_who_changed_it_agree(
    base: list[str], sides: list[list[str]]
) -> None:
    for chunk in merge_lines(base, sides):
        if isinstance(chunk, Settled):
            assert bool(chunk.changed) is (chunk.lines != chunk.base)
        else:
            changed = [chunk.sides[side] for side in chunk.changed]
            assert chunk.base not in changed
            assert any(lines != changed[0] for lines in changed)


@given(LINES, SIDES)
def test_a_side_more_that_changed_nothing_changes_nothing(
    base: list[str], sides: list[list[str]]
) -> None:
    with_base = merge_lines(base, [*sides, base])
    assert settled_lines(with_base) == settled_lines(merge_lines(base, sides))


@pytest.mark.parametrize(
    ("base", "sides", "result"),
    [
        ("1 2 3", ["x 2 3", "1 2 y"], "x 2 y"),
        ("1 2 3", ["x 2 3", "x 2 3"], "x 2 3"),
        ("1 2 3", ["1 3", "1 3"], "1 3"),
        ("1 2", ["1 n 2", "1 n 2"], "1 n 2"),
        ("", ["n", "n"], "n"),
        ("1 2 3 4 5", ["x 2 3 4 5", "1 2 y 4 5", "1 2 3 4 z"], "x 2 y 4 z"),
        ("1 2 3", ["x 2 3", "x 2 3", "1 2 z"], "x 2 z"),
        ("1 2 3", ["x 2 3", "1 y 3"], None),  # they touch
        ("1 2", ["n 1 2", "x 2"], None),  # an insertion touches the line behind it
        ("1 2", ["1 n 2", "1"], None),  # and the one before it
        ("1 2 3", ["1 n 2 3", "1 m 2 3"], None),  # two insertions in one gap
        ("1 2 3", ["1 3", "1 x 3"], None),
        ("", ["n", "m"], None),
        ("1 2 3 4 5", ["x 2 3 4 5", "x y 3 4 5", "1 2 3 4 z"], None),
        ("1 2 3", ["x 2 3", "x 2 3", "1 y 3"], None),
    ],
)
def test_changes_that_overlap_or_touch_conflict_unless_they_are_the_same(
    base: str, sides: list[str], result: str | None
) -> None:
    merged = settled_lines(merge_lines(words(base), [words(side) for side in sides]))
    assert merged == (None if result is None else words(result))


@pytest.mark.parametrize(
    ("base", "sides", "result"),
    [
        (
            "a 1 } b 2 } c 3 }",
            ["b 2 } z 0 } c 3 }", "a 1 } b 2 } z 0 } c 3 }"],
            "b 2 } z 0 } c 3 }",
        ),
        ("a 1 } b 2 } c 3 }", ["a 1 } c 3 }", "a 1 } c 3 } z"], "a 1 } c 3 } z"),
        ("1 } 2", ["1 } z } 2", "1 } z } y"], None),  # what was added ends where the other begins
    ],
)
def test_what_two_added_or_deleted_beside_repeated_lines_is_so_once(
    base: str, sides: list[str], result: str | None
) -> None:
    for those in (sides, sides[::-1]):
        merged = settled_lines(merge_lines(words(base), [words(side) for side in those]))
        assert merged == (None if result is None else words(result))


@given(st.integers(3, 7), st.data())
def test_a_block_that_both_added_is_there_once(size: int, data: st.DataObject) -> None:
    blocks = [[f"{place} {{", f"  {place}", "}"] for place in range(size)]
    at = data.draw(st.integers(0, size))
    gone = data.draw(st.integers(0, size - 1).filter(lambda each: each not in {at - 1, at}))
    without = [*blocks[:gone], [], *blocks[gone + 1 :]]
    one, other = (
        [line for block in [*kept[:at], ["new {", "  new", "}"], *kept[at:]] for line in block]
        for kept in (without, blocks)
    )
    base = [line for block in blocks for line in block]
    assert settled_lines(merge_lines(base, [one, other])) == one


def test_a_conflict_shows_what_every_side_has_there_and_leaves_the_rest_settled() -> None:
    sides = [words("x 2 3 4 5"), words("1 y 3 4 5"), words("1 2 3 4 z")]
    assert merge_lines(words("1 2 3 4 5"), sides) == [
        Contested(["1", "2"], (["x", "2"], ["1", "y"], ["1", "2"]), (0, 1)),
        Settled(["3", "4"], ["3", "4"], ()),
        Settled(["5"], ["z"], (2,)),
    ]


def git_merge(
    folder: Path, base: list[str], ours: list[str], theirs: list[str]
) -> list[str] | None:
    """Give git's result, or None where it is in conflict."""
    for name, lines in {"base": base, "ours": ours, "theirs": theirs}.items():
        (folder / name).write_text("".join(lines), encoding="utf-8")
    done = subprocess.run(
        ["git", "merge-file", "-p", "--quiet", "ours", "base", "theirs"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 <= done.returncode < 128, done.stderr
    return split_lines(done.stdout) if done.returncode == 0 else None


@st.composite
def edits(draw: st.DrawFn, size: int) -> list[str]:
    """A side of numbered lines; new lines are unlike all others, or the other side's."""
    side: list[str] = []
    for place in range(size + 1):
        whose = draw(st.sampled_from(["both", "one", "other"]))
        act = draw(st.sampled_from(["keep", "keep", "keep", "delete", "replace", "insert"]))
        if act in {"replace", "insert"}:
            side.append(f"{act} {whose} {place}\n")
        if act in {"keep", "insert"} and place < size:
            side.append(f"line {place}\n")
    return side


@settings(max_examples=150)
@given(st.data(), st.integers(0, 9))
def test_where_lines_can_be_aligned_in_one_way_git_says_the_same(
    data: st.DataObject, size: int
) -> None:
    base = [f"line {place}\n" for place in range(size)]
    ours, theirs = data.draw(edits(size)), data.draw(edits(size))
    with tempfile.TemporaryDirectory() as folder:
        expected = git_merge(Path(folder), base, ours, theirs)
    # The same verdict: so we do not conflict more than git, which refuses touching hunks as well.
    assert settled_lines(merge_lines(base, [ours, theirs])) == expected


def repeated_lines(rng: random.Random, base: list[str]) -> list[str]:
    side: list[str] = []
    for line in base:
        act = rng.random()
        if 0.1 <= act < 0.3:
            side.append(f"{rng.randrange(4)}\n")
        if act >= 0.2:
            side.append(line)
    return side


def test_where_lines_repeat_git_nearly_always_says_the_same(tmp_path: Path) -> None:
    rng = random.Random(11)
    verdicts: Counter[str] = Counter()
    for _ in range(400):
        base = [f"{rng.randrange(4)}\n" for _ in range(rng.randrange(12))]
        ours, theirs = repeated_lines(rng, base), repeated_lines(rng, base)
        git = git_merge(tmp_path, base, ours, theirs)
        merged = settled_lines(merge_lines(base, [ours, theirs]))
        if git == merged:
            verdicts["clean" if git is not None else "conflict"] += 1
        else:
            verdicts["other status" if git is None or merged is None else "other result"] += 1
    # Four different lines only: another alignment, as right as git's, puts changes elsewhere.
    assert verdicts["other result"] <= 4
    assert verdicts["other status"] <= 24
    assert min(verdicts["clean"], verdicts["conflict"]) >= 100
