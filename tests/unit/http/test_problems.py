"""Every error answer of the application is a problem, whatever was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, ConfigDict

from bps.clock import SystemClock
from bps.core import errors
from bps.core.error_catalogue import catalogue
from bps.http.body import blueprint_body, operation_id
from bps.http.limits import Limits
from bps.http.middleware import Edge
from bps.http.problems import add_problem_handlers
from bps.http.routing import asks, router
from bps.http.service import Service
from bps.identity.roles import Operation
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous
from tests.unit.http.harness import RoleGuard

LIMITS = Limits(max_json_bytes=1_000, max_blueprint_bytes=2_000, body_deadline_s=0.1)
MEMBERS = {
    *("type", "title", "status", "detail", "code", "retryable", "next_action"),
    *("facts", "instance", "trace_id"),
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ROUTES = router("test")
PLAIN = APIRouter()


class Wanted(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    number: int
    names: list[str] = []


@ROUTES.post("/json", openapi_extra=asks(Operation.PROMOTE))
async def take_json(wanted: Wanted, op_id: Annotated[str, Depends(operation_id)]) -> dict[str, Any]:
    return {"number": wanted.number, "op": op_id}


@ROUTES.put("/things/{thing}", openapi_extra=asks(Operation.PROMOTE))
async def take_yaml(thing: str, data: Annotated[bytes, Depends(blueprint_body)]) -> int:
    return len(data)


@ROUTES.get("/things/{thing}", openapi_extra=asks(Operation.PLAN_READ))
async def show_thing(thing: str, limit: int = 1) -> str:
    return thing * limit


@PLAIN.get("/fails/{code}")
async def fail(code: str) -> None:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.BpsError) and kind.code == code:
            raise kind("It went wrong.", retry_after_s=7)
    raise ValueError("/etc/secret")


def app_of(service: Service) -> FastAPI:
    """The edge as it is, with routes that need no store."""
    app = FastAPI(redirect_slashes=False)
    app.state.service = service
    add_problem_handlers(app)
    app.include_router(ROUTES)
    app.include_router(PLAIN)
    app.add_middleware(Edge)
    return app


@asynccontextmanager
async def client_of() -> AsyncIterator[httpx.AsyncClient]:
    clock = SystemClock()
    sidecar = Sidecar(MemoryStore(clock), clock, SidecarSettings("test"))
    app = app_of(Service(sidecar, RoleGuard(), LIMITS))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": "Bearer supervisor"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers
    ) as client:
        yield client


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert set(found) == MEMBERS
    assert found["status"] == answer.status_code
    assert found["trace_id"] == answer.headers["bps-trace-id"]
    assert found["trace_id"] in answer.headers["traceparent"]
    assert "Traceback" not in answer.text
    return found


@asynchronous
async def test_every_code_of_the_catalogue_has_its_answer() -> None:
    async with client_of() as client:
        for code, row in catalogue().items():
            answer = await client.get(f"/fails/{code}")
            found = problem_of(answer)
            assert (answer.status_code, found["code"]) == (row.http_status, code)
            waits = row.retryable and row.http_status in {429, 503}
            assert answer.headers.get("retry-after") == ("7" if waits else None)
            challenge = "Bearer" if row.http_status == 401 else None
            assert answer.headers.get("www-authenticate") == challenge


@asynchronous
async def test_a_failure_without_a_name_tells_nothing_but_the_trace() -> None:
    async with client_of() as client:
        parent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        answer = await client.get("/fails/unknown", headers=parent)
    found = problem_of(answer)
    assert (answer.status_code, found["code"], found["trace_id"]) == (500, "BPS_ERROR", TRACE)
    assert "secret" not in answer.text


@asynchronous
async def test_wrong_fields_are_named_by_pointers_and_not_repeated() -> None:
    sent = {"number": "7" * 300, "names": ["a", 4], "__proto__": {}, "x" * 300: 1}
    async with client_of() as client:
        answer = await client.post("/v1/json", json=sent, headers={"Idempotency-Key": "a"})
    fields = problem_of(answer)["facts"]["fields"]
    assert [field["pointer"] for field in fields] == [
        "/number",
        "/names/1",
        "/__proto__",
        "/" + "x" * 60 + "...",
    ]
    # Longer than a trace id has a chance to repeat.
    assert "7" * 20 not in answer.text


@asynchronous
async def test_many_wrong_fields_are_counted() -> None:
    async with client_of() as client:
        sent = {f"f{number}": 1 for number in range(50)} | {"number": 1}
        answer = await client.post("/v1/json", json=sent, headers={"Idempotency-Key": "a"})
    facts = problem_of(answer)["facts"]
    assert (len(facts["fields"]), facts["count"]) == (20, 50)


JSON = {"Content-Type": "application/json", "Idempotency-Key": "a"}
YAML = {"Content-Type": "application/yaml"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "code"),
    [
        ("GET", "/nothing", {}, b"", "ROUTE_NOT_FOUND"),
        ("GET", "/v1/things/a/", {}, b"", "ROUTE_NOT_FOUND"),
        ("GET", "/v1/things/a%2fb", {}, b"", "ROUTE_NOT_FOUND"),
        ("GET", "/v1/things/%2e%2e", {}, b"", "ROUTE_NOT_FOUND"),
        ("GET", "/v1/things/a%00", {}, b"", "ROUTE_NOT_FOUND"),
        ("GET", "/v1/things/a%0a", {}, b"", "ROUTE_NOT_FOUND"),
        ("GET", "/v1/things/%c3%a4", {}, b"", "ROUTE_NOT_FOUND"),
        ("GET", "/v1/things/a%zz", {}, b"", "ROUTE_NOT_FOUND"),
        ("GET", "/v1/things/" + "a" * 5_000, {}, b"", "REQUEST_TOO_LARGE"),
        ("GET", "/v1/things/a?limit=x", {}, b"", "INVALID_INPUT"),
        ("GET", "/v1/things/a?limits=1", {}, b"", "INVALID_INPUT"),
        ("GET", "/v1/things/a?limit=1&limit=2", {}, b"", "INVALID_INPUT"),
        ("GET", "/v1/things/a", {"Content-Length": "3"}, b"abc", "REQUEST_ERROR"),
        ("DELETE", "/v1/things/a", {}, b"", "METHOD_NOT_ALLOWED"),
        ("POST", "/v1/json", JSON, b"{", "INVALID_INPUT"),
        ("POST", "/v1/json", JSON, b"[" * 900, "INVALID_INPUT"),
        ("POST", "/v1/json", JSON, b"", "INVALID_INPUT"),
        ("POST", "/v1/json", JSON, b"[]", "INVALID_INPUT"),
        ("POST", "/v1/json", JSON, b'{"number":1.0}', "INVALID_INPUT"),
        ("POST", "/v1/json", JSON, b'{"number":true}', "INVALID_INPUT"),
        ("POST", "/v1/json", JSON, b" " * 1_001, "REQUEST_TOO_LARGE"),
        ("POST", "/v1/json", {**JSON, "Content-Type": "text/plain"}, b"{}", "UNSUPPORTED"),
        (
            "POST",
            "/v1/json",
            {**JSON, "Content-Type": "application/json; charset=latin-1"},
            b"{}",
            "UNSUPPORTED",
        ),
        ("POST", "/v1/json", {"Idempotency-Key": "a"}, b"{}", "UNSUPPORTED"),
        ("POST", "/v1/json", {**JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b", "UNSUPPORTED"),
        (
            "POST",
            "/v1/json",
            {"Content-Type": "application/json"},
            b'{"number":1}',
            "IDEMPOTENCY_KEY_REQUIRED",
        ),
        ("POST", "/v1/json", {**JSON, "Idempotency-Key": "a b"}, b'{"number":1}', "INVALID_ID"),
        ("PUT", "/v1/things/a", YAML, b"", "INVALID_INPUT"),
        ("PUT", "/v1/things/a", YAML, b"a" * 2_001, "REQUEST_TOO_LARGE"),
        ("PUT", "/v1/things/a", JSON, b"a: 1", "UNSUPPORTED"),
        ("PUT", "/v1/things/a", {**YAML, "Content-Encoding": "zstd"}, b"a", "UNSUPPORTED"),
    ],
)
def test_what_cannot_be_served_is_a_named_problem(
    method: str, path: str, headers: dict[str, str], body: bytes, code: str
) -> None:
    @asynchronous
    async def ask() -> None:
        async with client_of() as client:
            answer = await client.request(method, path, headers=headers, content=body)
        found = problem_of(answer)
        assert found["code"].startswith(code)
        assert answer.status_code < 500
        assert len(found["instance"]) <= 63

    ask()


@asynchronous
async def test_the_methods_of_a_path_are_all_named() -> None:
    async with client_of() as client:
        answer = await client.delete("/v1/things/a")
    assert answer.headers["allow"] == "GET, HEAD, PUT"


@asynchronous
async def test_a_header_that_decides_something_comes_once() -> None:
    async with client_of() as client:
        for name in ("Idempotency-Key", "If-Match", "Authorization", "traceparent"):
            headers = [("Authorization", "Bearer supervisor"), (name, "a"), (name, "a")]
            answer = await client.get("/v1/things/a", headers=headers)
            assert problem_of(answer)["code"] == "INVALID_INPUT"


@asynchronous
async def test_nobody_learns_what_is_wrong_before_who_asks() -> None:
    async with client_of() as client:
        headers = {"Authorization": "Bearer auditor", **JSON}
        answer = await client.post("/v1/json", headers=headers, content=b"{")
    assert problem_of(answer)["code"] == "FORBIDDEN"


@asynchronous
async def test_what_is_well_formed_is_served() -> None:
    async with client_of() as client:
        taken = await client.post("/v1/json", headers=JSON, content=b'{"number":1}')
        types = ("application/yaml", "text/yaml; charset=UTF-8", "application/x-yaml")
        sizes = [
            await client.put("/v1/things/a", headers={"Content-Type": each}, content=b"a: 1")
            for each in types
        ]
        odd = await client.get("/v1/things/EP-1-RR%28br1%29-1?limit=2")
    assert taken.json() == {"number": 1, "op": "a"}
    assert [each.json() for each in sizes] == [4, 4, 4]
    assert odd.json() == "EP-1-RR(br1)-1" * 2
