"""Log lines: one JSON object each, and never what must not be in them."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from bps.http import tracing
from bps.http.log_pipe import MAX_LINES
from bps.http.logs import RequestLines, announce, logging_to

SIZE = 1_048_576


@contextmanager
def logged(level: str = "info") -> Iterator[list[dict[str, Any]]]:
    """What is logged within; there when it ends."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SIZE)
    lines: list[dict[str, Any]] = []
    try:
        with logging_to(writing, level):
            yield lines
        os.close(writing)
        writing = -1
        data = os.read(reading, SIZE)
        lines += [json.loads(line) for line in data.splitlines()]
    finally:
        os.close(reading)
        if writing != -1:
            os.close(writing)


def test_a_line_of_a_library_is_one_json_object() -> None:
    with logged() as lines:
        logging.getLogger("bps.some").warning("it %s", "went", extra={"reason": "x", "n": 2})
        logging.getLogger("bps.some").debug("not this")
    assert len(lines) == 1
    assert list(lines[0])[:4] == ["ts", "level", "event", "logger"]
    ours = {name: lines[0][name] for name in ("level", "event", "logger", "reason", "n")}
    assert ours == {
        "level": "warning",
        "event": "it went",
        "logger": "bps.some",
        "reason": "x",
        "n": 2,
    }


def test_an_exception_is_its_class_and_place_without_traceback_path_or_values() -> None:
    with logged() as lines:
        try:
            int("/etc/secret")
        except ValueError:
            logging.getLogger("bps").exception("it failed\nTraceback of %s", __file__)
    assert lines[0]["error"] == "ValueError"
    assert lines[0]["event"] == "it failed"
    assert lines[0]["where"][0].startswith("tests.unit.http.test_logs:")
    text = json.dumps(lines)
    assert "secret" not in text
    assert "/" not in text


def test_a_newline_in_what_a_client_sent_makes_no_second_line() -> None:
    scope = {
        "method": "POST",
        "headers": [(b"idempotency-key", b'x"}\n{"level":"error"}\xff')],
        "path": "/v1/plans/secret",
        "query_string": b"token=secret",
    }
    with logged() as lines:
        RequestLines()(scope, 200, 0.001)
    assert len(lines) == 1
    assert lines[0]["level"] == "info"
    assert lines[0]["op"] == 'x"}\n{"level":"error"}\xff'
    assert lines[0]["route"] is None
    assert "secret" not in json.dumps(lines)


def test_a_line_names_the_trace_of_the_request() -> None:
    trace = tracing.new_trace()
    token = tracing.CURRENT.set(trace)
    try:
        with logged() as lines:
            logging.getLogger("bps").warning("within")
            RequestLines()({"method": "GET", "headers": []}, 500, 0.1)
    finally:
        tracing.CURRENT.reset(token)
    assert [line["trace_id"] for line in lines] == [trace.trace_id] * 2
    assert lines[1]["level"] == "error"


@pytest.mark.parametrize(
    ("route", "level"), [("/readyz", "info"), ("/leaderz", "info"), ("/v1/plans", "error")]
)
def test_a_probe_that_says_no_is_no_error(route: str, level: str) -> None:
    scope = {"method": "GET", "headers": [], "route": SimpleNamespace(path_format=route)}
    with logged() as lines:
        RequestLines()(scope, 503, 0.1)
    assert [(line["route"], line["status"], line["level"]) for line in lines] == [
        (route, 503, level)
    ]


def test_what_json_cannot_hold_is_logged_as_text() -> None:
    with logged() as lines:
        logging.getLogger("bps").warning("odd", extra={"a": "\ud800", "b": 2**70, "c": object})
        logging.getLogger("bps").warning("%d", "no number")
    assert [line["event"] for line in lines] == ["odd", "%d"]
    assert lines[0]["b"] == 2**70


def test_the_ready_line_is_there_whatever_the_level() -> None:
    reading, writing = os.pipe()
    with logging_to(writing, "error") as pipe:
        announce(pipe, "http://127.0.0.1:1")
    line = json.loads(os.read(reading, 65_536))
    os.close(reading)
    os.close(writing)
    assert (line["level"], line["event"], line["url"]) == ("info", "ready", "http://127.0.0.1:1")


def test_a_reader_that_stands_still_stops_nobody_and_is_told_what_it_missed() -> None:
    reading, writing = os.pipe()
    logger = logging.getLogger("bps")
    begun_s = time.monotonic()
    with logging_to(writing, "info"):
        for _ in range(MAX_LINES + 5_000):
            logger.warning("x" * 100)
        assert time.monotonic() - begun_s < 20
        seen = b""
        while b"were dropped" not in seen:
            seen = (seen + os.read(reading, 65_536))[-200_000:]
            logger.warning("more")
    os.close(reading)
    os.close(writing)


def test_a_stuck_stderr_does_not_hold_up_the_end() -> None:
    reading, writing = os.pipe()
    with logging_to(writing, "info"):
        for _ in range(2_000):
            logging.getLogger("bps").warning("x" * 100)
        begun_s = time.monotonic()
    assert time.monotonic() - begun_s < 2
    os.close(reading)
    # The writing end stays: a thread that waits for the reader still has it.


@pytest.mark.parametrize("closed_first", [True, False])
def test_a_closed_stderr_stops_nobody(closed_first: bool) -> None:
    reading, writing = os.pipe()
    if closed_first:
        os.close(reading)
    with logging_to(writing, "info"):
        logging.getLogger("bps").warning("nobody reads")
        if not closed_first:
            os.close(reading)
        logging.getLogger("bps").warning("nobody reads")
    os.close(writing)
