"""The metrics page: its formats, who may see it, its list in the docs, and that it never grows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx
import pytest
from fastapi.routing import APIRoute
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bps.core.codec import SCHEMA
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.service import Service
from bps.leadership.modes import Mode, Reason
from bps.sidecar.metrics import COMMANDS, METHODS, STORE_OPERATIONS, CommandOutcome
from bps.store.measured import OUTCOMES
from tests.asynchronous import asynchronous
from tests.checkout import ROOT
from tests.unit.http.harness import RoleGuard, Served, served

PAGE = ROOT / "docs" / "metrics.md"
YAML = {"Content-Type": "application/yaml"}
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
OPENED = frozenset({("command", "OpenBranch"), ("outcome", "committed")})
EVIL = ("../../etc/passwd", "a b", "é", "x" * 300, "EP-1' OR 1=1", "{plan}", "%00", "\\n", "🦆")


async def families(scene: Served) -> dict[str, set[tuple[str, frozenset[tuple[str, str]]]]]:
    """The page's series by their family."""
    page = await scene.call("GET", "/metrics", role=None, headers=OPENMETRICS)
    assert page.status_code == 200
    return {
        family.name: {(sample.name, frozenset(sample.labels.items())) for sample in family.samples}
        for family in parse_openmetrics(page.text)  # type: ignore[no-untyped-call]
    }


async def label_values(scene: Served) -> dict[str, set[str]]:
    """Every value of every label on the page, but the bounds of buckets."""
    values: dict[str, set[str]] = {}
    for series in (await families(scene)).values():
        for _, labels in series:
            for name, value in labels:
                values.setdefault(name, set()).add(value)
    values.pop("le")
    return values


async def hostile(scene: Served, tag: str) -> None:
    """Requests whose ids, paths, methods and headers are all different, most of them refused."""
    for n, evil in enumerate(EVIL):
        text = httpx.QueryParams({"v": f"{evil}{tag}"})["v"]
        quoted = str(httpx.URL("http://h/", params={"v": text}).query, "ascii")[2:]
        await scene.call("GET", f"/{quoted}")
        await scene.call("GET", f"/v1/plans/{quoted}/canonical")
        await scene.call("GET", f"/v1/plans/EP-{tag}{n}/branches/{quoted}")
        await scene.call("DELETE", f"/v1/plans/EP-{tag}{n}")
        await scene.call(f"M{tag}{n}".upper(), "/v1/plans")
        await scene.call("GET", "/v1/plans", role=f"nobody-{tag}{n}")
        await scene.call("GET", f"/v1/plans?limit=1&x{tag}{n}=1")
        headers = {"Accept": f"text/{tag}{n}", "traceparent": quoted[:50], "User-Agent": quoted}
        await scene.call("GET", "/v1/plans", headers=headers)
        path = f"/v1/plans/EP-{tag[-1]}{n}"
        await scene.call("PUT", f"{path}?title={quoted}", content=b"v: 1\n", headers=YAML)
        await scene.call("PUT", f"{path}?title={tag}{n}", content=b"v: 1\n", headers=YAML)
        body = {"trace_id": f"{tag}{n}", "fingerprint": f"{evil}{tag}", "summary": quoted[:40]}
        await scene.call("POST", f"{path}/branches", json=body)
        await scene.call("POST", f"{path}/promotions", json={"branches": [quoted[:40]]})
        await scene.call("POST", f"{path}/promotions", json={})


@asynchronous
async def test_nothing_that_a_caller_sends_makes_a_new_series() -> None:
    async with served() as scene:
        await hostile(scene, "a1")
        await families(scene)
        before = await families(scene)
        assert ("bps_commands_total", OPENED) in before["bps_commands"]
        await hostile(scene, "b2")
        await hostile(scene, "c3")
        after = await families(scene)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {}
    assert sum(map(len, after.values())) < 1_500


@asynchronous
async def test_every_label_and_value_is_on_the_list() -> None:
    async with served() as scene:
        for operation in STORE_OPERATIONS:
            for how in OUTCOMES:
                scene.sidecar.metrics.store_call(operation, how, 0.001)
        await hostile(scene, "a1")
        values = await label_values(scene)
        app = create_app(Service(scene.sidecar, RoleGuard(), Limits()))
        templates = {
            part.path_format for part in all_routes(app.routes) if isinstance(part, APIRoute)
        }
    allowed: dict[str, set[str]] = {
        "mode": {mode.value for mode in Mode},
        "reason": {*(reason.value for reason in Reason), "none"},
        "command": {*COMMANDS, "other"},
        "outcome": {*(outcome.value for outcome in CommandOutcome), *OUTCOMES},
        "operation": set(STORE_OPERATIONS),
        "method": {*METHODS, "other"},
        "route": {*templates, "unknown", "/openapi.json"},
        "status": {str(status) for status in (0, *range(200, 600))},
        "version": values["version"],
        "schema": {str(SCHEMA)},
        "python": values["python"],
    }
    assert set(values) == set(allowed)
    for label, found in values.items():
        assert found <= allowed[label], label
    assert len(values["version"]) == len(values["python"]) == 1


def all_routes(routes: Sequence[object]) -> list[object]:
    """Routes, with those inside of included routers."""
    found: list[object] = []
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        found += all_routes(inner) if inner is not None else [route]
    return found


@asynchronous
async def test_the_docs_list_every_metric_with_its_type_and_labels() -> None:
    row = re.compile(
        r"^\| `([a-z_]+)` \| (gauge|counter|histogram) \| ([a-z, ]*) ?\|", re.MULTILINE
    )
    listed = {
        name: (kind, {label for label in labels.strip().split(", ") if label})
        for name, kind, labels in row.findall(PAGE.read_text())
    }
    async with served() as scene:
        scene.sidecar.metrics.store_call("commit", "ok", 0.001)
        await hostile(scene, "a1")
        page = await scene.call("GET", "/metrics", role=None, headers=OPENMETRICS)
        shown = {
            family.name: (
                family.type,
                {label for sample in family.samples for label in sample.labels} - {"le"},
            )
            for family in parse_openmetrics(page.text)  # type: ignore[no-untyped-call]
        }
    assert shown == listed


@asynchronous
async def test_both_formats_can_be_read_and_nothing_else_is_chosen_by_the_caller() -> None:
    async with served() as scene:
        for accept in (
            "",
            "*/*",
            "text/plain; version=garbage",
            "a" * 200,
            "text/plain;escaping=x",
        ):
            page = await scene.call("GET", "/metrics", role=None, headers={"Accept": accept})
            assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert {family.name for family in parse_text(page.text)} >= {"bps_mode", "bps_leader"}
        page = await scene.call("GET", "/metrics", role=None, headers=OPENMETRICS)
        assert page.headers["Content-Type"].startswith(
            "application/openmetrics-text; version=1.0.0"
        )
        assert page.text.endswith("# EOF\n")
        assert page.headers["Cache-Control"] == "no-store"
        assert "_created" not in page.text


@pytest.mark.parametrize(("public", "status"), [(False, 403), (True, 200)])
@asynchronous
async def test_another_host_sees_it_only_where_it_is_public(public: bool, status: int) -> None:
    async with served() as scene:
        app = create_app(Service(scene.sidecar, RoleGuard(), Limits(), public_health=public))
        transport = httpx.ASGITransport(app=app, client=("192.0.2.1", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.get("/metrics")
    assert answer.status_code == status
    assert ("bps_mode" in answer.text) == public


@asynchronous
async def test_a_life_of_requests_is_counted() -> None:
    async with served() as scene:
        await scene.call("PUT", "/v1/plans/EP-1?title=t", content=b"v: 1\n", headers=YAML)
        await scene.call("GET", "/v1/plans/EP-1/canonical")
        await scene.call("GET", "/v1/plans/EP-9/canonical")
        promoted = await scene.call("POST", "/v1/plans/EP-1/promotions", json={})
        assert promoted.status_code >= 400
        value = scene.sidecar.metrics.registry.get_sample_value
        route = "/v1/plans/{plan}/canonical"
        for status, count in (("200", 1), ("404", 1), ("500", None)):
            labels = {"route": route, "method": "GET", "status": status}
            assert value("bps_http_requests_total", labels) == count
        assert value("bps_http_request_duration_seconds_count", {"route": route}) == 2
        labels = {"command": "RegisterPlan", "outcome": "committed"}
        assert value("bps_commands_total", labels) == 1
        assert value("bps_promotions_total", {"outcome": "rejected"}) == 1
        assert value("bps_leader") == value("bps_mode", {"mode": "READ_WRITE"}) == 1
        assert value("bps_terms_total") == 1
