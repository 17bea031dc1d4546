"""Finished spans to an OpenTelemetry collector, OTLP over HTTP, from a thread of the SDK's.

A collector that is slow or gone costs requests nothing: at most 2,048 spans wait, then the oldest
are dropped; each attempt ends after 2 s. One log line says that it fails, one that it works again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from importlib.metadata import version

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from bps.sidecar.spans import FinishedSpan

_PATH = "/v1/traces"
_TIMEOUT_S = 2.0
_QUEUE = 2_048
_BATCH = 256
_EVERY_MS = 1_000
_SAMPLED = trace.TraceFlags(trace.TraceFlags.SAMPLED)
_KINDS = {
    "server": trace.SpanKind.SERVER,
    "internal": trace.SpanKind.INTERNAL,
    "client": trace.SpanKind.CLIENT,
}

_log = logging.getLogger(__name__)
_sdk_log = logging.getLogger("opentelemetry")


class OtlpExport:
    """Takes finished spans until it is closed."""

    def __init__(self, endpoint: str, service_name: str) -> None:
        base = endpoint.rstrip("/")
        session = requests.Session()
        session.trust_env = False
        self._exporter = _ToldOnce(
            OTLPSpanExporter(
                base if base.endswith(_PATH) else base + _PATH,
                timeout=_TIMEOUT_S,
                session=session,
            )
        )
        self._processor = BatchSpanProcessor(
            self._exporter,
            max_queue_size=_QUEUE,
            max_export_batch_size=_BATCH,
            schedule_delay_millis=_EVERY_MS,
        )
        self._ids = _GivenIds()
        release = version("blueprint-promotion-service")
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource({"service.name": service_name, "service.version": release}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("bps", release)
        # The SDK reports each failed attempt, also after the end; `_ToldOnce` says it in one line.
        _sdk_log.setLevel(logging.CRITICAL + 1)

    def take(self, span: FinishedSpan) -> None:
        """Queue one span; neither blocks nor raises."""
        self._ids.trace_id = int(span.context.trace_id, 16)
        self._ids.span_id = int(span.context.span_id, 16)
        parent = trace.INVALID_SPAN
        if span.parent_id is not None:
            caller = trace.SpanContext(
                self._ids.trace_id, int(span.parent_id, 16), is_remote=True, trace_flags=_SAMPLED
            )
            parent = trace.NonRecordingSpan(caller)
        begun = self._tracer.start_span(
            span.name,
            context=trace.set_span_in_context(parent),
            kind=_KINDS[span.kind],
            attributes=dict(span.attributes),
            start_time=span.begun_ns,
        )
        if span.failed:
            begun.set_status(trace.StatusCode.ERROR)
        begun.end(span.ended_ns)

    async def close(self, flush_s: float) -> None:
        """Send what waits, for at most `flush_s` seconds; the rest is dropped."""
        flushed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def flush() -> None:
            self._processor.shutdown()  # type: ignore[no-untyped-call]
            if not loop.is_closed():
                loop.call_soon_threadsafe(flushed.set)

        # Not the loop's own pool: the end of the process would wait for its threads.
        threading.Thread(target=flush, name="otlp-flush", daemon=True).start()
        try:
            async with asyncio.timeout(flush_s):
                await flushed.wait()
        except TimeoutError:
            _log.warning("spans that were not sent in time are dropped")
        finally:
            self._exporter.shutdown()


class _GivenIds(IdGenerator):
    """Hands out the ids that the span has already."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class _ToldOnce(SpanExporter):
    """Says once that sending fails, and once that it works again."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._failing = False
        self._ended = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._ended:
            return SpanExportResult.FAILURE
        result = self._inner.export(spans)
        failing = result is not SpanExportResult.SUCCESS and not self._ended
        if failing and not self._failing:
            _log.warning("spans cannot be sent to otel.endpoint; they are dropped until they can")
        if self._failing and not failing and not self._ended:
            _log.info("spans are sent to otel.endpoint again")
        self._failing = failing
        return result

    def shutdown(self) -> None:
        if not self._ended:
            self._ended = True
            self._inner.shutdown()
