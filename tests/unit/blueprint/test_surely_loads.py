"""What is told to load without being parsed does load, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.blueprint.data import load, surely_loads

PIECES = [
    "a: 1\n", "b:\n", "  - x\n", "- y\n", "---\n", "...\n", "%YAML 1.2\n", "\r", "\x85", "\u2028",
    "\ufeff", "*a", "&a ", "'", '"', "[", "]", "{", "}", ": ", "? k\n", "|\n", "# c\n", "\t", " ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_it_never_promises_too_much(text: str) -> None:
    if surely_loads(text):
        assert isinstance(load(text), dict)


@pytest.mark.parametrize("text", ["a: 1\n", "# c\na:\n  - {b: 'x'}\n", "a: &x 1\nb: *x\n"])
def test_it_knows_what_blueprints_are_like(text: str) -> None:
    assert surely_loads(text)


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "a: [\n", "a: 1\n---\n- b\n", "a: 1\r---\r- b\r", "a: 1\x85---\x85- b\n"]
)
def test_it_promises_nothing_of_what_may_be_refused(text: str) -> None:
    assert not surely_loads(text)
