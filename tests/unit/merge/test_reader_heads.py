"""What stands before the first entry of a collection is read, or refused, as by a full parse."""

from __future__ import annotations

import pytest

from bps.merge.parse import parse
from bps.merge.reader import LARGE, SMALLEST
from bps.merge.refusals import Unreadable
from bps.merge.source import Source
from tests.unit.merge.sightings import assert_read_alike

_HEADS = (
    "# \x01\n",
    "# \x00\n",
    "# \ufffe\n",
    "\t\n",
    "\t# a\n",
    " \t# a\n",
    "--- # \x02\n",
    "---\n\t\n",
)
_SOUND_HEADS = ("# a\n", "\n", " # a\n", "---\t\n", "--- # a\n")
_OPENINGS = (
    "big: # \x01\n",
    "big:\x01\n",
    "b\x01ig:\n",
    "big:\n\t\n",
    "big:\n\t# a\n",
    "big:\n  # \x01\n",
)
_SOUND_OPENINGS = ("big:\n", "big :\n", "'big':\n", "big: \t# a\n", "big:\t\n", "big: !x\n")


def of_size(least: int, line: str) -> str:
    return "".join(line.format(n) for n in range(2 * least // len(line) + 1))


def refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(Source("it", text))
    assert_read_alike([text])


@pytest.mark.parametrize("head", _HEADS)
@pytest.mark.parametrize("line", ["k{}: v\n", "- v{}\n"])
def test_a_text_whose_head_is_no_yaml_is_refused(head: str, line: str) -> None:
    refused(head + of_size(SMALLEST, line))


@pytest.mark.parametrize("opening", _OPENINGS)
@pytest.mark.parametrize("line", ["  k{}: v\n", "  - v{}\n"])
def test_a_text_with_a_large_entry_whose_head_is_no_yaml_is_refused(
    opening: str, line: str
) -> None:
    refused(f"a: 1\n{opening}{of_size(LARGE, line)}z: 1\n")


@pytest.mark.parametrize("head", _SOUND_HEADS)
@pytest.mark.parametrize("opening", _SOUND_OPENINGS)
def test_others_are_read_alike(head: str, opening: str) -> None:
    below = of_size(LARGE, "  k{}: v\n")
    text = f"{head}a: 1\n{opening}{below}z: 1\n"
    parse(Source("it", text))
    assert_read_alike([text])
