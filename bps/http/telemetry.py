"""Spans of requests, and where they go: nothing is made or imported unless an endpoint is set."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from bps.core.errors import ConfigError
from bps.http.metrics import template_of
from bps.http.tracing import Trace, trace_of
from bps.sidecar.metrics import METHODS, OTHER, Metrics
from bps.sidecar.spans import FinishedSpan, SpanContext, within

_SERVER_FAULT = 500
FLUSH_S = 0.5
"""How long the end of the service waits for spans that are still to be sent."""


class SpanScope:
    """Makes a recorded request's span the current one, so that what it does is below it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = trace_of(scope)
        with within(_context(trace) if is_recorded(trace) else None):
            await self._app(scope, receive, send)


class ServerSpans:
    """An observer of `bps.http.middleware`: a server span a request, also of refused ones."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __call__(self, scope: Scope, status: int, duration_s: float) -> None:
        """End one request's span."""
        trace, sink = trace_of(scope), self._metrics.span_sink
        if sink is None or not is_recorded(trace):
            return
        method = scope["method"] if scope["method"] in METHODS else OTHER
        route = template_of(scope)
        attributes: dict[str, str | int] = {"http.request.method": method}
        if status:
            attributes["http.response.status_code"] = status
        if route is not None:
            attributes["http.route"] = route
        ended_ns = time.time_ns()
        sink(
            FinishedSpan(
                method if route is None else f"{method} {route}",
                "server",
                _context(trace),
                trace.parent_id,
                ended_ns - round(duration_s * 1e9),
                ended_ns,
                attributes,
                failed=status >= _SERVER_FAULT or not status,
            )
        )


def is_recorded(trace: Trace) -> bool:
    """Whether spans are made: the caller decides by its sampled flag; without one, always."""
    return trace.parent_id is None or bool(trace.flags & 1)


def _context(trace: Trace) -> SpanContext:
    return SpanContext(trace.trace_id, trace.span_id)


@asynccontextmanager
async def exporting(
    endpoint: str | None, service_name: str, metrics: Metrics
) -> AsyncIterator[None]:
    """Send spans to `endpoint` (OTLP over HTTP) while inside; at the end, what waits is sent.

    The end takes at most `FLUSH_S` seconds, whatever the collector does. Without an endpoint this
    does nothing.

    Raises:
        ConfigError: an endpoint is set, but the extra `otel` is not installed.
    """
    if endpoint is None:
        yield
        return
    try:
        from bps.http.otlp import OtlpExport  # noqa: PLC0415 - an extra, and heavy
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"otel.endpoint is set, but {error.name} is missing; install this program with its "
            "extra `otel`."
        ) from None
    export = OtlpExport(endpoint, service_name)
    metrics.span_sink = export.take
    try:
        yield
    finally:
        metrics.span_sink = None
        await export.close(FLUSH_S)
