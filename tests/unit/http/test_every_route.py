"""What holds for every operation of the API, found in its own OpenAPI document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bps.core.errors import Unavailable
from bps.http.openapi import operations
from bps.http.reference.samples import sample
from bps.http.routing import OPERATION
from bps.identity.roles import ALLOWED, Operation
from tests.asynchronous import asynchronous, run
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.unit.http.harness import Served, served


async def openapi() -> dict[str, Any]:
    async with served() as service:
        found: dict[str, Any] = (await service.client.get("/openapi.json")).json()
        return found


DOCUMENT = run(openapi())
GUARDED = [each for each in operations(DOCUMENT) if OPERATION in each[2]]


def test_an_answers_fields_are_described_by_the_names_that_it_has() -> None:
    recorded = DOCUMENT["components"]["schemas"]["ReviewConflict"]
    assert recorded["properties"].keys() == {"id", "path", "kind"}
    assert sorted(recorded["required"]) == ["id", "kind", "path"]


def addressed(path: str, operation: dict[str, Any]) -> str:
    """The path with the examples of its parameters."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            value = sample(parameter["schema"], DOCUMENT, parameter["name"])
            path = path.replace("{" + parameter["name"] + "}", str(value))
    return path


def check_problem(answer: httpx.Response, operation: dict[str, Any]) -> str:
    """The code of an error answer, which must be a documented problem."""
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    assert problem["status"] == answer.status_code
    assert str(answer.status_code) in operation["responses"], answer.text
    assert {"type", "title", "detail", "code", "next_action", "trace_id"} <= problem.keys()
    assert problem["instance"].startswith("/v1/")
    assert "Traceback" not in answer.text
    return str(problem["code"])


async def bad_requests(
    service: Served, path: str, method: str, operation: dict[str, Any]
) -> dict[str, set[str]]:
    """What the operation answers to requests that are wrong in every way; by the way."""
    role = min(ALLOWED[Operation(operation[OPERATION])])
    json_body = "application/json" in operation.get("requestBody", {}).get("content", {})
    requests: dict[str, dict[str, Any]] = {
        "nobody": {"role": None},
        "unknown query": {"params": {"no_such_parameter": "1"}},
    }
    if "requestBody" in operation:
        wrong_type = {"Content-Type": "text/plain"}
        requests["wrong type"] = {"content": b"x", "headers": wrong_type}
        requests["compressed"] = {
            "content": b"x",
            "headers": {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        }
    if json_body:
        headers = {"Content-Type": "application/json"}
        for name, content in (
            ("no JSON", b"{"),
            ("not a number", b'{"reason": NaN}'),
            ("member twice", b'{"a": 1, "a": 2}'),
            ("unknown member", b'{"no_such_member": 1}'),
            ("no UTF-8", b'{"reason": "\xff"}'),
            ("deep", b"[" * 20_000),
        ):
            requests[name] = {"content": content, "headers": headers}
    if method != "get":
        requests["bad key"] = {"key": "not a key"}
    found = {}
    for name, options in requests.items():
        answer = await service.call(method.upper(), path, **{"role": role, **options})
        assert answer.status_code < 500, f"{name}: {answer.text}"
        assert answer.status_code >= 400, f"{name}: {answer.text}"
        found[name] = {check_problem(answer, operation)}
    return found


@pytest.mark.parametrize(
    ("path", "method", "operation"), GUARDED, ids=lambda part: part if type(part) is str else ""
)
def test_every_wrong_request_is_refused_with_a_documented_problem(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    @asynchronous
    async def check() -> None:
        async with served() as service:
            revision = service.store._history.revision
            found = await bad_requests(service, addressed(path, operation), method, operation)
            assert found["nobody"] == {"UNAUTHENTICATED"}
            assert found["unknown query"] == {"INVALID_INPUT"}
            assert found.get("wrong type", {"UNSUPPORTED_MEDIA_TYPE"}) == {"UNSUPPORTED_MEDIA_TYPE"}
            for name in ("no JSON", "not a number", "member twice", "no UTF-8", "deep"):
                assert found.get(name, {"INVALID_INPUT"}) == {"INVALID_INPUT"}
            assert service.store._history.revision == revision, "something was written"

    check()


@asynchronous
async def test_no_operation_answers_a_lost_store_with_anything_but_a_documented_problem() -> None:
    async with served() as service:
        faulty = FaultyStore(service.store)
        service.sidecar.store = service.sidecar.reads = faulty
        service.sidecar.degraded.store = faulty
        service.sidecar.canonical._store = faulty
        unavailable = set()
        for path, method, operation in GUARDED:
            if method != "get":
                continue
            faulty.script.extend([Fault.UNAVAILABLE] * 50)
            role = min(ALLOWED[Operation(operation[OPERATION])])
            answer = await service.call("GET", addressed(path, operation), role=role)
            faulty.script.clear()
            if answer.status_code >= 400:
                check_problem(answer, operation)
            if answer.status_code == 503:
                assert answer.json()["code"] == Unavailable.code
                assert answer.headers["Retry-After"]
                unavailable.add(operation["operationId"])
        assert {"show_plan", "show_branch", "show_policy"} <= unavailable
