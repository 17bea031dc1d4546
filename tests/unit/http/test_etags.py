"""Entity tags: lists of them, and what matches what (RFC 9110)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from bps.core.errors import InvalidInput, PreconditionFailed, PreconditionRequired
from bps.http.etags import if_match, need_if_match, not_modified, parse_tags, strong_tags
from bps.writepath.precondition import check_if_match, operation_fields
from tests.asynchronous import asynchronous

OPAQUE = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f').filter(
        lambda c: not "\x7f" <= c < "\x80"
    ),
    max_size=20,
)


def asking(header: str | None) -> Request:
    headers = [] if header is None else [(b"if-none-match", header.encode("latin-1"))]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('"a"', [("a", False)]),
        ('W/"a"', [("a", True)]),
        ('"a", "b"', [("a", False), ("b", False)]),
        ('"a","b"', [("a", False), ("b", False)]),
        ('"a" ,\t W/"b"', [("a", False), ("b", True)]),
        (', "a",, "b",', [("a", False), ("b", False)]),
        ('""', [("", False)]),
        ('"*"', [("*", False)]),
        ("*", [("*", False)]),
        (" * ", [("*", False)]),
        ('"a,b"', [("a,b", False)]),
    ],
)
def test_a_list_of_tags_is_read(text: str, tags: list[tuple[str, bool]]) -> None:
    assert parse_tags(text, "If-Match") == tags


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", "a", '"a', 'a"', '"a" "b"', '"a"x', "'a'", 'w/"a"', 'W/ "a"', "*, *"),
        *('"a", *', '"a b"', '"a\x00"', '"a";q=1', ", ".join(['"a"'] * 33)),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_tags(text, "If-Match")


@given(st.lists(st.tuples(OPAQUE, st.booleans()), min_size=1, max_size=32))
def test_what_was_written_is_read_again(tags: list[tuple[str, bool]]) -> None:
    text = ", ".join(f'{"W/" if weak else ""}"{opaque}"' for opaque, weak in tags)
    assert parse_tags(text, "If-Match") == tags


def test_weak_tags_never_match_where_something_is_written() -> None:
    assert strong_tags('W/"7-a", "7-b"') == ("7-b",)
    assert strong_tags('W/"7-a"') == ()


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        ('"7-a"', True),
        ('W/"7-a"', True),
        ('"6-a"', False),
        ('"6-a", "7-a"', True),
        ("*", True),
    ],
)
def test_if_none_match_compares_weakly(header: str | None, known: bool) -> None:
    assert not_modified(asking(header), "7-a") is known


@pytest.mark.parametrize(
    ("seen", "passes"),
    [
        (None, True),
        (("7-a",), True),
        (("6-a", "7-a"), True),
        (("*",), True),
        ((), False),
        (("6-a",), False),
    ],
)
def test_a_decision_goes_on_only_where_the_tag_is_the_present_one(
    seen: tuple[str, ...] | None, passes: bool
) -> None:
    if passes:
        check_if_match(seen, "7-a", "It")
        return
    with pytest.raises(PreconditionFailed) as refused:
        check_if_match(seen, "7-a", "It")
    assert refused.value.facts == {"etag": '"7-a"'}


def test_requests_without_a_precondition_keep_their_digests() -> None:
    assert operation_fields(None) == {}
    assert operation_fields(("b", "a", "b")) == {"if_match": ["a", "b"]}


@asynchronous
async def test_a_header_that_is_needed_must_be_there() -> None:
    assert await if_match(None) is None
    assert await need_if_match("*") == ("*",)
    with pytest.raises(PreconditionRequired):
        await need_if_match(None)
