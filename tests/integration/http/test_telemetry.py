"""Spans reach a real collector over OTLP/HTTP, in the caller's trace; a dead one harms nothing."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bps.clock import SystemClock
from bps.core.errors import ConfigError
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.service import Service
from bps.http.telemetry import FLUSH_S, exporting
from bps.sidecar.metrics import Metrics
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.measured import MeasuredStore
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.unit.http.harness import RoleGuard

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECRET = "supervisor"
YAML = {"Content-Type": "application/yaml"}


class Collector:
    """What an OTLP collector does with traces: it keeps them."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.paths: set[str] = set()
        self.raw = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(self.path, body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Tests print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        self.raw += body
        message = ExportTraceServiceRequest.FromString(body)
        for resource in message.resource_spans:
            for attribute in resource.resource.attributes:
                if attribute.key == "service.name":
                    self.services.add(attribute.value.string_value)
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    @contextmanager
    def running(self) -> Iterator[Collector]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@asynccontextmanager
async def service(endpoint: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """The application as `bps serve` puts it together, on a memory store."""
    clock, metrics = SystemClock(), Metrics()
    store = MeasuredStore(MemoryStore(clock), metrics.store_call)
    async with (
        exporting(endpoint, "bps-test", metrics),
        Sidecar(store, clock, SidecarSettings("traced"), metrics) as sidecar,
    ):
        await sidecar.terms.decided()
        app = create_app(Service(sidecar, RoleGuard(), Limits()))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {SECRET}", "Idempotency-Key": "op-1"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers
        ) as client:
            yield client


@asynccontextmanager
async def started(app: FastAPI) -> AsyncIterator[None]:
    """The ASGI lifespan, in which FastAPI would configure what the environment says."""
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    told: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan", "state": {}}, asked.get, told.put))
    for phase in ("startup", "shutdown"):
        await asked.put({"type": f"lifespan.{phase}"})
        assert (await told.get())["type"] == f"lifespan.{phase}.complete"
        if phase == "startup":
            yield
    await running


async def register(client: httpx.AsyncClient, flags: str = "01") -> httpx.Response:
    traced = {**YAML, "traceparent": f"00-{TRACE}-{CALLER}-{flags}"}
    url = "/v1/plans/EP-1?title=a-title"
    return await client.put(url, content=b"hidden: content\n", headers=traced)


def attributes(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@asynchronous
async def test_a_request_its_command_and_its_store_calls_are_one_trace() -> None:
    with Collector().running() as collector:
        async with service(collector.endpoint) as client:
            answer = await register(client)
            assert answer.status_code == 201
            assert answer.headers["BPS-Trace-Id"] == TRACE
        assert collector.paths == {"/v1/traces"}
        assert collector.services == {"bps-test"}
    spans = collector.spans
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    (server,) = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    assert server.parent_span_id.hex() == CALLER
    assert server.name == "PUT /v1/plans/{plan}"
    assert answer.headers["Traceparent"] == f"00-{TRACE}-{server.span_id.hex()}-01"
    assert attributes(server) == {
        "http.request.method": "PUT",
        "http.response.status_code": 201,
        "http.route": "/v1/plans/{plan}",
    }
    (command,) = [span for span in spans if span.kind == Span.SPAN_KIND_INTERNAL]
    assert (command.name, command.parent_span_id) == ("command RegisterPlan", server.span_id)
    calls = [span for span in spans if span.kind == Span.SPAN_KIND_CLIENT]
    assert {"store commit", "store snapshot"} <= {span.name for span in calls}
    assert {span.parent_span_id for span in calls} == {command.span_id}
    for span in calls:
        assert server.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
    for kept_back in (SECRET, "EP-1", "a-title", "hidden", "op-1"):
        assert kept_back.encode() not in collector.raw


@asynchronous
async def test_refused_requests_have_spans_and_unsampled_ones_do_not() -> None:
    with Collector().running() as collector:
        async with service(collector.endpoint) as client:
            await register(client, flags="00")
            assert (await client.get("/v1/%2e%2e/x")).status_code == 404
            await client.request("BREW", "/v1/plans")
    assert {span.name for span in collector.spans} == {"GET", "other /v1/plans"}
    assert all(span.parent_span_id == b"" for span in collector.spans)
    assert TRACE not in {span.trace_id.hex() for span in collector.spans}


@asynchronous
async def test_a_service_that_runs_sends_without_being_ended() -> None:
    with Collector().running() as collector:
        async with service(collector.endpoint) as client:
            await register(client)

            async def arrived() -> bool:
                return bool(collector.spans)

            await eventually(arrived, "spans arrive")


@pytest.mark.parametrize("dead", ["refuses", "silent"])
def test_a_dead_collector_slows_nothing_and_is_told_in_one_line(
    dead: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        silent = socket.create_server(("127.0.0.1", 0))  # connects, and is never read from
        port = silent.getsockname()[1]
        if dead == "refuses":
            silent.close()
        async with service(f"http://127.0.0.1:{port}") as client:
            for _ in range(3):
                began = time.perf_counter()
                for _ in range(20):
                    assert (await client.get("/v1/plans")).status_code == 200
                assert time.perf_counter() - began < 2
                await asyncio.sleep(0.5)
            ending = time.perf_counter()
        assert time.perf_counter() - ending < FLUSH_S + 1
        silent.close()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(work())
    ours = [record for record in caplog.records if record.name == "bps.http.otlp"]
    assert len(ours) in {1, 2}
    assert all(record.exc_info is None for record in caplog.records)
    assert not [record for record in caplog.records if record.name.startswith("opentelemetry")]
    written = capfd.readouterr()
    assert "Traceback" not in written.err + written.out


@asynchronous
async def test_without_an_endpoint_nothing_is_sent_whatever_the_environment_says() -> None:
    with Collector().running() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        patch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        async with service(None) as client:
            transport = cast("httpx.ASGITransport", client._transport)
            async with started(cast("FastAPI", transport.app)):
                assert (await register(client)).status_code == 201
    assert collector.paths == set()


def test_the_service_imports_nothing_of_it_unless_an_endpoint_is_set() -> None:
    code = (
        "import sys, bps.http.run, bps.cli.serve\n"
        "heavy = ('opentelemetry.sdk', 'opentelemetry.exporter', 'requests')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


@asynchronous
async def test_an_endpoint_without_the_extra_is_refused_by_name() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "bps.http.otlp", raising=False)
        patch.setitem(sys.modules, "opentelemetry", None)
        with pytest.raises(ConfigError, match="extra `otel`"):
            async with exporting("http://127.0.0.1:9", "bps", Metrics()):
                pass
