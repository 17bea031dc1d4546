"""When the merge by lines asks for a person, and when it keeps silent."""

from __future__ import annotations

import json

import pytest

from bps.merge.records import Contribution
from bps.merge.refusals import Unreadable
from bps.merge.second_opinion import finding

BASE = '{"a": 1,\n"b": 2,\n"c": 3,\n"d": 4,\n"e": 5}\n'
LEFT = BASE.replace('"a": 1', '"a": 10')
RIGHT = BASE.replace('"e": 5', '"e": 50')
BOTH = LEFT.replace('"e": 5', '"e": 50')
MIDDLE = BASE.replace('"c": 3', '"c": 30')


def data_of(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable("lines", error.lineno, error.colno, error.msg, "look") from None


def of(label: str, text: str, base: str = BASE) -> Contribution:
    return Contribution(label=label, base=base, text=text)


TWO = [of("left", LEFT), of("right", RIGHT)]


def test_the_same_text_needs_no_person() -> None:
    assert finding(BASE, TWO, BOTH, data_of) is None


def test_the_same_data_needs_no_person() -> None:
    assert finding(BASE, TWO, BOTH.replace("\n", " "), data_of) is None


def test_other_data_needs_a_person_and_says_whose_changes_these_are() -> None:
    sentence = finding(BASE, TWO, LEFT, data_of)
    assert sentence is not None
    assert "left, right " in sentence
    assert "a person should compare" in sentence


def test_canonical_is_an_editor_where_it_differs_from_the_base() -> None:
    all_three = BOTH.replace('"c": 3', '"c": 30')
    assert finding(MIDDLE, TWO, all_three, data_of) is None
    sentence = finding(MIDDLE, TWO, BOTH, data_of)
    assert sentence is not None
    assert "left, right, canonical " in sentence


def test_lines_in_conflict_say_nothing() -> None:
    other = BASE.replace('"a": 1', '"a": 11')
    assert finding(BASE, [of("left", LEFT), of("right", other)], RIGHT, data_of) is None


def test_contributions_from_several_bases_cannot_be_compared() -> None:
    assert finding(BASE, [of("left", LEFT), of("right", RIGHT, LEFT)], BASE, data_of) is None


def test_no_contributions_cannot_be_compared() -> None:
    assert finding(BASE, [], BASE, data_of) is None


def test_lines_that_are_not_readable_together_say_nothing() -> None:
    opened = BASE.replace('{"a"', '{"x": {"a"').replace("5}", "5}}")
    closed_elsewhere = BASE.replace('"c": 3', '"c": 3}')
    assert finding(BASE, [of("left", opened), of("right", closed_elsewhere)], BASE, data_of) is None


def test_an_unreadable_result_is_not_passed_over() -> None:
    with pytest.raises(Unreadable):
        finding(BASE, TWO, "{", data_of)
