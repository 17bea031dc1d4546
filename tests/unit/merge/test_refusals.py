"""What the merge says of a text that it cannot read."""

from __future__ import annotations

import pytest

from bps.merge.parse import parse, validate
from bps.merge.refusals import Unreadable
from bps.merge.source import Source


@pytest.mark.parametrize("read", [parse, validate])
def test_a_character_that_is_not_allowed_is_named_with_its_place(read: object) -> None:
    assert callable(read)
    with pytest.raises(Unreadable) as refusal:
        read(Source("it", "a: é\nb: é\x07\n"))
    error = refusal.value
    assert (error.line, error.column) == (2, 5)
    assert error.what == "not YAML: the character U+0007 is not allowed"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("%TAG !e! tag:e.org,2026:\n---\na: [1]\n- b\n", 4),
        ("a: [80:80]\nb: [1]\n- c\n", 3),
    ],
)
def test_the_place_of_an_error_is_that_of_what_no_spelling_mends(text: str, line: int) -> None:
    for read in (parse, validate):
        with pytest.raises(Unreadable) as refusal:
            read(Source("x", text))
        assert refusal.value.line == line
