"""Structured logs: one JSON object a line on stderr, for our own lines and those of libraries.

Fields: ts, level, event, logger, trace_id, and what the line is about. Never a secret, a body, a
query string, a traceback or a path: an exception is its class and where it was raised.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, cast

import orjson
import structlog
from starlette.types import Scope

from bps.http import tracing
from bps.http.log_pipe import LogPipe

_MAX_TEXT = 500
_MAX_FRAMES = 8
_SERVER_ERROR = 500
_PROBES = {"/readyz", "/leaderz"}
"""Their 503 answers the question; nothing has failed."""
_FIRST = ("ts", "level", "event", "logger", "trace_id")

Event = MutableMapping[str, Any]


@contextmanager
def logging_to(descriptor: int, level: str) -> Iterator[LogPipe]:
    """Within it, every log line of the process goes to `descriptor` as JSON, through the pipe."""
    number = logging.getLevelNamesMapping()[level.upper()]
    pipe = LogPipe(descriptor, _dropped_line)
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, _complete],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _PipeLogger(pipe),
        cache_logger_on_first_use=False,
    )
    handler = _PipeHandler(pipe)
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    root.handlers[:] = [handler]
    root.setLevel(number)
    try:
        yield pipe
    finally:
        root.handlers[:] = before[1]
        root.setLevel(before[0])
        structlog.reset_defaults()
        pipe.close()


class RequestLines:
    """Logs one line a request; an observer of `bps.http.middleware`."""

    def __init__(self) -> None:
        self._logger = structlog.get_logger().bind()

    def __call__(self, scope: Scope, status: int, duration_s: float) -> None:
        """Log who asked for which route; no path, query or body."""
        identity = scope.get("state", {}).get("identity")
        fields: dict[str, Any] = {
            "method": scope["method"],
            "route": getattr(scope.get("route"), "path_format", None),
            "status": status or None,
            "duration_ms": round(duration_s * 1_000, 3),
            "principal": None if identity is None else identity.principal,
        }
        for name, value in scope["headers"]:
            if name == b"idempotency-key":
                fields["op"] = value[:128].decode("latin-1")
        if status >= _SERVER_ERROR and fields["route"] not in _PROBES:
            self._logger.error("request", **fields)
        else:
            self._logger.info("request", **fields)


class _PipeLogger:
    """What structlog hands its finished lines to."""

    def __init__(self, pipe: LogPipe) -> None:
        self._pipe = pipe

    def msg(self, line: bytes) -> None:
        self._pipe.write(line)

    debug = info = warning = error = critical = msg


class _PipeHandler(logging.Handler):
    """Lines of the standard library's loggers, through the same pipe."""

    def __init__(self, pipe: LogPipe) -> None:
        super().__init__()
        self._pipe = pipe
        self._extra = structlog.stdlib.ExtraAdder()

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises: a line that cannot be made says so."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        event: Event = {"event": text, "level": record.levelname.lower(), "logger": record.name}
        found = self._extra(cast("logging.Logger", None), "", {"_record": record})
        for name, value in found.items():
            if name != "_record":
                event.setdefault(name, value)
        if record.exc_info:
            event["exc_info"] = record.exc_info
        self._pipe.write(_complete(None, "", event))


def _complete(_logger: object, _method: str, event: Event) -> bytes:
    """The last processor: the whole line."""
    event["ts"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    trace = tracing.CURRENT.get()
    if trace is not None:
        event.setdefault("trace_id", trace.trace_id)
    failure = event.pop("exc_info", None)
    if failure:
        event.update(_failure(failure))
    # Other lines than the first can hold tracebacks and paths.
    event["event"] = str(event.get("event", "")).partition("\n")[0][:_MAX_TEXT]
    ordered = {name: event[name] for name in _FIRST if name in event} | dict(event)
    return _json(ordered)


def _json(fields: dict[str, Any]) -> bytes:
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(fields, option=options, default=_text)
    except TypeError:
        # Text that is no UTF-8, or a number that is no 64 bits.
        return json.dumps(fields, default=_text, skipkeys=True).encode() + b"\n"


def _text(value: object) -> str:
    return str(value)[:_MAX_TEXT]


def _failure(failure: object) -> dict[str, Any]:
    """The class of an exception and the modules and lines that it passed."""
    if failure is True:
        failure = sys.exc_info()
    error = failure[1] if isinstance(failure, tuple) else failure
    if not isinstance(error, BaseException):
        return {}
    return {"error": type(error).__name__, "where": where(error.__traceback__)}


def where(trace: TracebackType | None) -> list[str]:
    """`module:line` of the innermost eight frames; no paths, no values."""
    frames = [
        f"{frame.f_globals.get('__name__', '?')}:{line}"
        for frame, line in traceback.walk_tb(cast("TracebackType", trace))
    ]
    return frames[-_MAX_FRAMES:]


def _dropped_line(count: int) -> bytes:
    return _complete(
        None, "", {"event": "log lines were dropped", "level": "warning", "lines": count}
    )


def announce(pipe: LogPipe, url: str) -> None:
    """Say that the service is ready, and where, whatever the level is."""
    event = {"level": "info", "event": "ready", "url": url, "pid": os.getpid()}
    pipe.write(_complete(None, "", event))
