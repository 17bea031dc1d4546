"""Spans of what the sidecar does, without any tracing library: who wants them gets them finished.

A span costs something only while a sink is set and the request is recorded. Ids are W3C Trace
Context's: 32 and 16 lower-case hexadecimal digits.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

Attribute = str | int
SpanKind = Literal["server", "internal", "client"]


@dataclass(frozen=True, slots=True)
class SpanContext:
    """Where in a trace something happens."""

    trace_id: str
    span_id: str

    def child(self) -> SpanContext:
        """A place of its own below this one."""
        return SpanContext(self.trace_id, secrets.token_hex(8))


@dataclass(frozen=True, slots=True)
class FinishedSpan:
    """One span. Times are nanoseconds since the epoch; attributes are few and of closed sets."""

    name: str
    kind: SpanKind
    context: SpanContext
    parent_id: str | None
    begun_ns: int
    ended_ns: int
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    failed: bool = False


Sink = Callable[[FinishedSpan], None]
"""Takes a finished span; must neither block nor raise."""

CURRENT: ContextVar[SpanContext | None] = ContextVar("bps_span", default=None)
"""The span that this task works in; None where nothing is recorded."""


@contextmanager
def within(context: SpanContext | None) -> Iterator[None]:
    """Make `context` the span that this task works in."""
    token = CURRENT.set(context)
    try:
        yield
    finally:
        CURRENT.reset(token)


def ended(
    sink: Sink, name: str, attributes: Mapping[str, Attribute], duration_s: float, *, failed: bool
) -> None:
    """Give `sink` a span that ends now, below the current one; nothing where there is none."""
    parent = CURRENT.get()
    if parent is None:
        return
    now_ns = time.time_ns()
    begun_ns = now_ns - round(duration_s * 1e9)
    span = FinishedSpan(
        name, "client", parent.child(), parent.span_id, begun_ns, now_ns, attributes, failed
    )
    sink(span)
