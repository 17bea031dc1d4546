"""What is told to load because another text does, does load, whatever stands around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.blueprint.alike import loads_alike
from bps.blueprint.data import load
from bps.core.errors import InvalidBlueprint

PIECES = [
    "a: 1\n", "b:\n", "  - x\n", "- y\n", "---\n", "...\n", "%TAG ! x\n", "\r", "\x85", "*a",
    "&a ", "'", '"', "\\", "[", "]", "{", "}", ": ", "? k\n", "k: |\n", "c: >\n", "!t ", "# c\n",
    "\t", " ", ",\n",
]  # fmt: skip
HEADS = ["a: ", "  b: ", "- ", "  - ", "- - c: ", "--- k: "]
WORDS = ["1", "x", "null", "w y", "-1", "a.b", "0x1", "true", "~", "", "a: b", "x #", "| y"]
LEAF = st.tuples(st.sampled_from(HEADS), st.sampled_from(WORDS), st.sampled_from(WORDS))


@given(st.lists(st.sampled_from(PIECES) | LEAF, max_size=9))
def test_it_never_promises_too_much(pieces: list[str | tuple[str, str, str]]) -> None:
    text, known = "", ""
    for piece in pieces:
        head, one, other = (piece, "", "") if isinstance(piece, str) else piece
        end = "" if isinstance(piece, str) else "\n"
        text += head + one + end
        known += head + other + end
    try:
        load(known)
    except InvalidBlueprint:
        return
    if loads_alike(text, known):
        assert isinstance(load(text), dict)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timeout_ms: 9000\n", "timeout_ms: 2500\n"),
        ("tasks:\n- id: a\n  title: Ask twice\n- b", "tasks:\n- id: c\n  title: Ask\n- b"),
        ("text: |\n  - one\nq: 'x\n  y: 1\n  '\n", "text: |\n  - two\nq: 'x\n  y: 2\n  '\n"),
    ],
)
def test_it_knows_values_that_were_changed(one: str, other: str) -> None:
    assert loads_alike(one, other)
    assert loads_alike(other, one)


@pytest.mark.parametrize(
    "text",
    [
        "a: [b\n", "a: 'b\n", "a: *b\n", "a: b: c\n", "a: b #\n", "a: |9\n", "a: \\x\n", "a:\n",
        "b: 1\n", " a: 1\n", "a: 1\n\n", "a: é\n", f"a: {'9' * 5_000}\n", "a: b,\n", "a: 1\r\n",
    ],
)  # fmt: skip
def test_it_promises_nothing_of_another_change(text: str) -> None:
    assert not loads_alike(text, "a: 1\n")
