"""The trace that a request belongs to: W3C Trace Context level 1, parsed strictly."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass

from starlette.types import Scope

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_STATE = "bps.trace"


@dataclass(frozen=True, slots=True)
class Trace:
    """One request's place in a trace. `span_id` is ours; `parent_id` is the caller's, if any."""

    trace_id: str
    span_id: str
    parent_id: str | None
    flags: int

    @property
    def traceparent(self) -> str:
        """The header that tells others of this span."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"


CURRENT: ContextVar[Trace | None] = ContextVar("bps_trace", default=None)
"""The trace of the request that this task serves; log lines name it."""


def new_trace() -> Trace:
    """A trace that begins here, not sampled."""
    return Trace(secrets.token_hex(16), secrets.token_hex(8), None, 0)


def begin(traceparent: bytes | None) -> Trace:
    """The caller's trace with a span of our own; a new one where the header is not of its form.

    Source: W3C Trace Context, section 3.2: version `ff`, and ids of zeros only, are invalid; what
    follows the flags is refused in version 00 and ignored in later ones.
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None:
        return new_trace()
    version, trace_id, parent_id, flags = (part.decode() for part in found.group(1, 2, 3, 4))
    if version == "ff" or trace_id == _NO_TRACE or parent_id == _NO_SPAN:
        return new_trace()
    if version == "00" and found[5] is not None:
        return new_trace()
    return Trace(trace_id, secrets.token_hex(8), parent_id, int(flags, 16) & 1)


def trace_of(scope: Scope) -> Trace:
    """The trace of a request; it is made here where no middleware did."""
    trace: Trace | None = scope.get(_STATE)
    if trace is None:
        scope[_STATE] = trace = new_trace()
    return trace


def keep(scope: Scope, trace: Trace) -> None:
    """Let `trace_of` find it."""
    scope[_STATE] = trace
