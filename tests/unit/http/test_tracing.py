"""`traceparent`: taken over where it has its one form, else a new trace begins."""

from __future__ import annotations

import pytest

from bps.http.tracing import begin

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_a_trace_goes_on_with_a_span_of_our_own() -> None:
    trace = begin(GOOD.encode())
    assert (trace.trace_id, trace.parent_id, trace.flags) == (TRACE, SPAN, 1)
    assert trace.span_id != SPAN
    assert trace.traceparent == f"00-{TRACE}-{trace.span_id}-01"


def test_a_later_version_may_say_more() -> None:
    assert begin(f"cc-{TRACE}-{SPAN}-ff-what".encode()).trace_id == TRACE
    assert begin(f"cc-{TRACE}-{SPAN}-ff".encode()).flags == 1


@pytest.mark.parametrize(
    "given",
    [
        None,
        b"",
        GOOD.upper().encode(),
        GOOD[:-1].encode(),
        (GOOD + "-more").encode(),
        (GOOD + " ").encode(),
        (GOOD + "\n").encode(),
        GOOD.replace("00-", "ff-", 1).encode(),
        GOOD.replace("00-", "0-", 1).encode(),
        GOOD.replace(TRACE, "0" * 32).encode(),
        GOOD.replace(SPAN, "0" * 16).encode(),
        GOOD.replace("-", "_").encode(),
        f"cc-{TRACE}-{SPAN}-01what".encode(),
        b"\xff" * 55,
    ],
    ids=ascii,
)
def test_what_has_another_form_begins_a_new_trace(given: bytes | None) -> None:
    trace = begin(given)
    assert trace.trace_id not in {TRACE, "0" * 32}
    assert len(trace.trace_id) == 32
    assert trace.parent_id is None
