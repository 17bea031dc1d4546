"""Strict JSON: what is refused, and where it says that it stands."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core.errors import InvalidInput
from bps.http.strict_json import MAX_NUMBER, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = (
    st.none() | st.booleans() | st.integers(-MAX_NUMBER, MAX_NUMBER) | TEXT | st.floats(-1e9, 1e9)
)
VALUES = st.recursive(
    SCALARS, lambda each: st.lists(each, max_size=4) | st.dictionaries(TEXT, each, max_size=4)
)


@given(VALUES)
def test_ordinary_json_is_read_as_it_is(value: Any) -> None:
    assert parse(json.dumps(value).encode(), max_depth=99) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode(), max_depth=99) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(data: bytes) -> None:
    with suppress(InvalidInput):
        parse(data, max_depth=8)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\xef\xbb\xbf{}", 0),
        (b'{"a":"\xff"}', 6),
        (b'{"a":"\xed\xa0\x80"}', 6),
        (b"", 0),
        (b"{", 1),
        (b"{} x", 3),
        (b"{'a':1}", 1),
        (b'{"a":1,}', 7),
        (b'{"a":01}', 6),
        (b'{"a":+1}', 5),
        (b'{"a":.5}', 5),
        (b'"a\nb"', 2),
        (b'["\\x"]', 2),
        (b'{"a":"\\u12"}', 7),
        (b'"\xc3\xa4" x', 5),
        (b'{"a":NaN}', "/a"),
        (b"[1,Infinity]", "/1"),
        (b"[-Infinity]", "/0"),
        (b'{"a":1e999}', "/a"),
        (b'{"a":[0,' + b"9" * 5_000 + b"]}", "/a/1"),
        (b'{"a":9007199254740993}', "/a"),
        (b'{"a":-9007199254740993}', "/a"),
        (b'{"a":1e300}', "/a"),
        (b'{"a":{"b":1,"b":1}}', "/a"),
        (b'{"a":1,"\\u0061":2}', ""),
        (b'{"a":"\\ud800"}', "/a"),
        (b'{"a":["\\udc00\\ud800"]}', "/a/0"),
        (b'{"x/y~":NaN}', "/x~1y~0"),
        (b"NaN", ""),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_is_refused_says_where_it_stands(data: bytes, place: int | str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(data, max_depth=8)
    facts: Any = refused.value.facts
    assert (facts["offset"] if isinstance(place, int) else facts["fields"][0]["pointer"]) == place


@pytest.mark.parametrize(
    "value", [MAX_NUMBER, -MAX_NUMBER, 0.5, "\U0001f600", {"__proto__": 1}, [True, None]]
)
def test_what_only_looks_odd_is_read(value: Any) -> None:
    assert parse(json.dumps(value).encode(), max_depth=8) == value


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_depth_is_bounded_before_anything_recurses(bracket: bytes) -> None:
    with pytest.raises(InvalidInput, match="nested deeper than 8") as refused:
        parse(bracket * 100_000, max_depth=8)
    assert refused.value.facts["offset"] == 8 * len(bracket)


def test_brackets_in_text_and_side_by_side_are_no_depth() -> None:
    wide = [["[[[[[[[[[[[[", "\\"], [{}], []] * 50
    assert parse(json.dumps(wide).encode(), max_depth=3) == wide


def test_a_string_without_end_costs_linear_time() -> None:
    begun_s = time.process_time()
    with pytest.raises(InvalidInput):
        parse(b"[" * 9 + b'"' + b'\\"[' * 20_000, max_depth=8)
    assert time.process_time() - begun_s < 0.5


def test_a_member_name_is_repeated_in_part_only() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(b'{"' + b"n" * 500 + b'":NaN}', max_depth=8)
    assert len(refused.value.message) < 120
