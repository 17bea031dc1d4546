"""A JSON Pointer is found in the source, or its nearest parent is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.blueprint.data import load
from bps.validation.lines import escape, lines_of
from tests.docs.pages import DOCS

TEXT = """\
# comment
title: x
tasks:
  - id: a
    depends_on:
      - b
      - c
  -
    id: b
shared: &s
  deep: 1
again: *s
"a/b~c": {x: 1,
  y: 2}
text: |
  one
  two
"": empty
"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 2),
        ("/title", 2),
        ("/tasks", 3),
        ("/tasks/0", 4),
        ("/tasks/0/id", 4),
        ("/tasks/0/depends_on", 5),
        ("/tasks/0/depends_on/1", 7),
        ("/tasks/1", 9),
        ("/tasks/1/id", 9),
        ("/tasks/2", 3),
        ("/tasks/1/depends_on/7", 9),
        ("/tasks/x", 3),
        ("/shared/deep", 11),
        ("/again", 12),
        ("/again/deep", 12),
        ("/a~1b~0c", 13),
        ("/a~1b~0c/y", 14),
        ("/text", 15),
        ("/", 18),
        ("/nothing", 2),
    ],
)
def test_a_pointer_has_the_line_of_its_key_or_element(pointer: str, line: int) -> None:
    assert lines_of(TEXT, [pointer]) == {pointer: line}


def test_many_pointers_are_found_at_once_and_none_costs_nothing() -> None:
    assert lines_of(TEXT, ["/title", "/text"]) == {"/title": 2, "/text": 15}
    assert lines_of("not: [yaml", []) == {}


def pointers(value: Any, at: str = "") -> list[str]:
    found = [at]
    if isinstance(value, dict):
        for key, each in value.items():
            found += pointers(each, f"{at}/{escape(key)}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            found += pointers(each, f"{at}/{index}")
    return found


def test_every_pointer_of_a_sample_leads_to_a_line_that_shows_its_last_key() -> None:
    text = (DOCS / "samples" / "checkout-service.yaml").read_text()
    lines = text.splitlines()
    found = lines_of(text, pointers(load(text)))
    for pointer, line in found.items():
        last = pointer.rpartition("/")[2]
        assert last.isdigit() or last in lines[line - 1], (pointer, line)


@given(st.lists(st.text("/~01ab", max_size=6), max_size=8))
def test_any_pointer_gets_a_line_of_the_text(asked: list[str]) -> None:
    found = lines_of(TEXT, asked)
    assert set(found) == set(asked)
    assert all(1 <= line <= len(TEXT.splitlines()) for line in found.values())
