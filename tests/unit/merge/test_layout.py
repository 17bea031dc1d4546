"""Layout that one side changed is in the result, and the order of the sides decides none of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.merge.engine import merge
from bps.merge.records import Contribution


def merged(base: str, one: str, other: str) -> str | None:
    """The result, which is the same in both orders."""
    results = [
        merge(base, [Contribution(label, base, text) for label, text in sides]).text
        for sides in ((("A", one), ("B", other)), (("B", other), ("A", one)))
    ]
    assert results[0] == results[1]
    return results[0]


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("a: 1\nb: 2\n", "a: 1\nb: 2\n\n", "a: 9\nb: 2\n", "a: 9\nb: 2\n\n"),
        ("a: 1\nb: 2\n", "a: 1\nb: 2\n\n", "a: 1\nb: 9\n", "a: 1\nb: 9\n\n"),
        ("a: 1\nb: 2\n\n", "a: 1\nb: 2\n", "a: 9\nb: 2\n\n", "a: 9\nb: 2\n"),
        ("a: 1\n", "a: 1\n\n", "a: 1\nb: 2\n", "a: 1\nb: 2\n\n"),
        ("- a\n- b\n", "- a\n- b\n\n", "- a\n- c\n", "- a\n- c\n\n"),
        ("a:\n  - x\n", "a:\n  - x\n\n\n", "a:\n  - y\n", "a:\n  - y\n\n\n"),
        ("a: 1\nb: 2\n", "a: 1\nb: 2\n\n\n", "a: 1\nb: 2\n\n", "a: 1\nb: 2\n\n"),
    ],
)
def test_blank_lines_at_the_end_are_those_of_who_changed_them(
    base: str, one: str, other: str, result: str
) -> None:
    assert merged(base, one, other) == result


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("a: 1\nb: 2", "a: 1\nb: 2\n", "a: 9\nb: 2", "a: 9\nb: 2\n"),
        ("a: 1\nb: 2", "a: 1\nb: 2\n", "a: 1\nb: 9", "a: 1\nb: 9\n"),
        ("a: 1\nb: 2\n", "a: 1\nb: 2", "a: 9\nb: 2\n", "a: 9\nb: 2"),
        ("a: 1\r\nb: 2\nc: 3", "a: 7\r\nb: 2\nc: 3", "a: 1\r\nb: 8\nc: 3", "a: 7\r\nb: 8\nc: 3"),
        (
            "a: 1\r\nb: |\n  x",
            "a: 7\r\nb: |\n  x",
            "a: 1\r\nd: 0\nb: |\n  x",
            "a: 7\r\nd: 0\nb: |\n  x",
        ),
        ("a: 1\nb: |\n  x", "a: 1\nb: |\n  x\n", "a: 9\nb: |\n  x", "a: 9\nb: |\n  x\n"),
        ("a: 1\nb: |-\n  x", "a: 1\nb: |-\n  x\n", "a: 9\nb: |-\n  x", "a: 9\nb: |-\n  x\n"),
    ],
)
def test_the_last_newline_is_there_where_one_side_put_it(
    base: str, one: str, other: str, result: str
) -> None:
    assert merged(base, one, other) == result


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("# x\nb: 2\n", "# x \nb: 3\n", "# x\nb: 3\n", "# x \nb: 3\n"),
        ("b: 2 # x\n", "b: 3 # x \n", "b: 3 # x\n", "b: 3 # x \n"),
        ("b: 2 # x\n", "b: 2 # x \n", "b: 3 # x\n", "b: 3 # x \n"),
        ("b: # x\n  c: 1\n", "b: # x \n  c: 1\n", "b: # x\n  c: 2\n", "b: # x \n  c: 2\n"),
        ("b: # x \n  c: 1\n", "b: # x\n  c: 1\n", "b: # x \n  c: 2\n", "b: # x\n  c: 2\n"),
        ("# x\n# y\na: 1\n", "# x\n# y \na: 1\n", "# x z\n# y\na: 1\n", "# x z\n# y \na: 1\n"),
        ("# x\n\na: 1\n", "# x \n\na: 1\n", "# x\n\na: 3\n", "# x \n\na: 3\n"),
        ("a: 1\n# x\n", "a: 1\n# x \n", "a: 2\n# x\n", "a: 2\n# x \n"),
    ],
)
def test_blanks_behind_a_comment_are_kept_beside_another_edit(
    base: str, one: str, other: str, result: str
) -> None:
    assert merged(base, one, other) == result


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("a: 1\n", "a: 1\n# x \nb: 2\n", "a: 1\n# x\nb: 2\n", "a: 1\n# x\nb: 2\n"),
        ("- 1\n", "- 1\n# x \n- k: 2\n", "- 1\n# x\n- k: 2\n", "- 1\n# x\n- k: 2\n"),
        ("b: x\n", "b: 'x'\n", 'b: "x"\n', 'b: "x"\n'),
        ("b: x\n", "b: 'y'\n", 'b: "y"\n', 'b: "y"\n'),
        ("a: 1\nb: 2\n", "a: 1\n\n\nb: 2\n", "a: 1\n\nb: 2\n", "a: 1\n\nb: 2\n"),
    ],
)
def test_of_two_layouts_of_one_edit_the_content_decides(
    base: str, one: str, other: str, result: str
) -> None:
    assert merged(base, one, other) == result


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("{a: 1}\n", "{a: 1}\n\n\n", "{a: 2}\n", "{a: 2}\n\n\n"),
        ("{a: 1, b: 1}\n\n", "{a: 2, b: 1}\n", "{a: 1, b: 2}\n\n", "{a: 2, b: 2}\n"),
        ("[a]\n", "[a]\n\n", "[a, b]\n", "[a, b]\n\n"),
        ("[a,\n #c\n b]\n", "[a,\n #c\n b]\n\n", "[a,\n #c\n d]\n", "[a,\n #c\n d]\n\n"),
        ("? a\n: 1\n", "? a\n: 1\n\n", "? a\n: 2\n", "? a\n: 2\n\n"),
        ("a\n", "a\n\n\n", "b\n", "b\n\n\n"),
        ("a", "a\n\n\n", "b", "b\n\n\n"),
        ("a\n\n\n", "a", "b\n\n\n", "b"),
        ("a\n", "a # x\n", "a\n\n", "a  # x\n\n"),
        ("|\n a\n b\n c\n", "|\n a\n b\n c\n\n", "|\n x\n b\n c\n", "|\n x\n b\n c\n\n"),
        ("|+\n a\n b\n\n", "|+\n a\n b\n", "|+\n x\n b\n\n", "|+\n x\n b\n"),
        ("a: 1\nb: 2\n", "b: 2\n\n", "a: 1\n", "{}\n\n"),
        ("{a: 1}\n", "{a: 1}\n\n", "a: 1\nb: 2\n", "a: 1\nb: 2\n\n"),
        ("{a: 1}\n--- b\n", "{a: 1}\n\n--- b\n", "{a: 2}\n--- b\n", "{a: 2}\n\n--- b\n"),
        ("{a: 1}\n...\n", "{a: 1}\n\n...\n", "{a: 2}\n...\n", "{a: 2}\n\n...\n"),
    ],
)
def test_blank_lines_behind_a_root_without_lines_of_its_own(
    base: str, one: str, other: str, result: str
) -> None:
    assert merged(base, one, other) == result


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("# c\na: 1\n", "# c  \na: 1\n", "# c\nb: 0\na: 1\n", "# c  \nb: 0\na: 1\n"),
        ("# c  \na: 1\n", "# c\na: 1\n", "# c  \nb: 0\na: 1\n", "# c\nb: 0\na: 1\n"),
        ("# c\n\na: 1\n", "# c \n\na: 1\n", "# c\nb: 0\n\na: 1\n", "# c \nb: 0\n\na: 1\n"),
        (
            "# c\n# d\n- 1\n",
            "# c \n# d\t\n- 1\n",
            "# c\n- 0\n# d\n- 1\n",
            "# c \n- 0\n# d\t\n- 1\n",
        ),
        ("- 1\n# c\n- 2\n", "- 1\n# c  \n- 2\n", "- 1\n# c\n- 0\n- 2\n", "- 1\n# c  \n- 0\n- 2\n"),
        (
            "a: 1\n# c\n# d\n",
            "a: 1\n# c \n# d\n",
            "a: 1\n# c\nb: 0\n# d\n",
            "a: 1\n# c \nb: 0\n# d\n",
        ),
    ],
)
def test_blanks_behind_a_comment_below_which_an_entry_was_put(
    base: str, one: str, other: str, result: str
) -> None:
    assert merged(base, one, other) == result


def test_a_line_of_a_text_that_looks_like_a_comment_keeps_its_own_blanks() -> None:
    base = "# c\na: 1\nb: 2\n"
    other = "a: 1\nb: |\n  # c\n"
    assert merged(base, "# c \na: 3\nb: 2\n", other) == "a: 3\nb: |\n  # c\n"


LINES = ("# top", "a: 1 # one", "b:  # two", "  # in", "  c: x", "  d: y # three", "e: 5")
VALUES = {1: "a: 2 # one", 4: "  c: z", 5: "  d: w # three", 6: "e: 6"}


@given(
    st.sets(st.sampled_from([n for n, line in enumerate(LINES) if "#" in line])),
    st.sets(st.sampled_from(sorted(VALUES)), min_size=1),
    st.integers(0, 2),
    st.integers(0, 2),
)
def test_layout_of_one_side_and_data_of_the_other_are_both_there(
    spaced: set[int], edited: set[int], blank: int, before: int
) -> None:
    def text(lines: list[str], spaces: set[int], behind: int) -> str:
        spaced_lines = [f"{line} " if n in spaces else line for n, line in enumerate(lines)]
        return "\n".join(spaced_lines) + "\n" * (1 + behind)

    data = [VALUES[n] if n in edited else line for n, line in enumerate(LINES)]
    base, one = text([*LINES], set(), before), text([*LINES], spaced, blank)
    assert merged(base, one, text(data, set(), before)) == text(data, spaced, blank)


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("- a\n- b\n- c\n", "- a\n\n- b\n- c\n", "- a\n- x\n- c\n", "- a\n\n- x\n- c\n"),
        ("- a\n\n- b\n- c\n", "- a\n- b\n- c\n", "- a\n\n- x\n- c\n", "- a\n- x\n- c\n"),
        ("- a\n- b\n- b\n", "\n- a\n- b\n- b\n", "- x\n- y\n- b\n", "\n- x\n- y\n- b\n"),
        (
            "l:\n- a\n# of b\n- b\n",
            "l:\n- a\n\n\n# of b\n- b\n",
            "l:\n- a\n# of b\n- x\n",
            "l:\n- a\n\n\n# of b\n- x\n",
        ),
        ("- a\n- b\n", "- a\n\n- b\n", "- a\n\n\n- x\n", "- a\n\n\n- x\n"),
        ("- a\n- b\n- c\n", "- a\n\n- b\n- c\n", "- a\n- c\n", "- a\n- c\n"),
    ],
)
def test_blank_lines_before_an_element_stay_where_the_other_side_replaced_it(
    base: str, one: str, other: str, result: str
) -> None:
    assert merged(base, one, other) == result
