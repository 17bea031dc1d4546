"""Server-sent events: however the bytes are cut, the same events come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.client import sse
from bps.client.sse import SentEvent, SseParser
from bps.core.errors import Unavailable

STREAM = (
    b"\xef\xbb\xbfretry: 2000\nid: 3\n\n"
    b": keep-alive\n\n"
    b'id: 4\nevent: plan\ndata: {"a":\ndata:  1}\n\n'
    b"data\nunknown: x\nid: 5\x00\n\n"
    b": keep-alive\nid: 7\n\n"
    b"event: none\n\n"
    b"data: \xc3\xa9\n\n"
    b"id: 9\ndata: cut"
)
EVENTS = [
    SentEvent("plan", '{"a":\n 1}', "4"),
    SentEvent("message", "", "4"),
    SentEvent("message", "é", "7"),
]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@given(cuts=st.lists(st.integers(0, len(STREAM) * 2), max_size=8))
def test_pieces_and_line_ends_make_no_difference(ending: bytes, cuts: list[int]) -> None:
    stream = STREAM.replace(b"\n", ending)
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parser = SseParser()
    found = [event for start, end in pairwise(bounds) for event in parser.feed(stream[start:end])]
    assert found == EVENTS
    assert (parser.last_id, parser.retry_ms) == ("7", 2000)


def test_an_event_that_was_cut_off_comes_again() -> None:
    parser = SseParser("1")
    assert parser.feed(b"id: 2\ndata: x\n") == []
    assert parser.last_id == "1"
    assert parser.feed(b"\n") == [SentEvent("message", "x", "2")]
    assert parser.last_id == "2"


@pytest.mark.parametrize("piece", [b"x" * 100, b"data: x\n" * 10])
def test_an_endless_event_ends(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1_000)
    parser = SseParser()
    with pytest.raises(Unavailable, match="too long"):
        [parser.feed(piece) for _ in range(20)]
