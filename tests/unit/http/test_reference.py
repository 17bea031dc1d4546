"""The OpenAPI document and the reference page made from it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from bps.core.error_catalogue import catalogue
from bps.http.openapi import ROLES, operations
from bps.http.reference.samples import sample
from bps.http.routing import OPERATION
from bps.identity.roles import ALLOWED, Operation
from tests.asynchronous import asynchronous, run
from tests.unit.http.harness import served

_VOID = {"meta", "br", "hr", "link", "img"}


async def fetched(path: str, accept: str = "*/*") -> Any:
    async with served() as service:
        return await service.call("GET", path, role=None, headers={"Accept": accept})


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = run(fetched("/openapi.json")).json()
    return found


def test_every_guarded_operation_says_what_it_is_and_who_may(document: dict[str, Any]) -> None:
    guarded = [found for _, _, found in operations(document) if OPERATION in found]
    assert len(guarded) > 20
    for found in guarded:
        assert set(found[ROLES]) == ALLOWED[Operation(found[OPERATION])]
        assert found["security"]
        assert found["summary"]


def test_operations_are_named_once(document: dict[str, Any]) -> None:
    names = [found["operationId"] for _, _, found in operations(document)]
    assert len(names) == len(set(names))


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    for path, method, found in operations(document):
        for parameter in found.get("parameters", []):
            where = f"{method} {path} {parameter['name']}"
            assert parameter.get("description") or parameter["schema"].get("description"), where
            assert sample(parameter["schema"], document, parameter["name"]) is not None, where


def test_every_error_answer_is_a_problem(document: dict[str, Any]) -> None:
    for path, method, found in operations(document):
        for status, answer in found["responses"].items():
            if int(status) >= 400 and OPERATION in found:
                assert list(answer["content"]) == ["application/problem+json"], (method, path)
        if OPERATION in found:
            assert {"400", "401", "403", "429", "500", "503"} <= set(found["responses"])
            if method != "get":
                assert {"409", "422"} <= set(found["responses"])
            if "{" in path:
                assert "404" in found["responses"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert len(found) > 20
    for reference in found:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


class Page(HTMLParser):
    """Fails where tags do not nest; collects what a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def every(self, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for _, attrs in self.seen if attribute in attrs]


@asynchronous
async def test_the_page_is_static_and_shows_every_operation(document: dict[str, Any]) -> None:
    answer = await fetched("/docs")
    page = Page(answer.text)
    tags = {tag for tag, _ in page.seen}
    assert not tags & {"script", "link", "img", "iframe", "form", "object"}
    assert not [name for _, attrs in page.seen for name in attrs if name.startswith("on")]
    ids = page.every("id")
    assert sorted(ids) == sorted(found["operationId"] for _, _, found in operations(document))
    for target in page.every("href"):
        assert (
            target[1:] in ids
            or target in {"/openapi.json", "/problems"}
            or (target in {row.problem_type for row in catalogue().values()})
        )
    assert not re.search(r"https?://(?!127\.0\.0\.1)", answer.text)


@asynchronous
async def test_example_answers_hold_values_as_they_really_look() -> None:
    shown = (await fetched("/docs")).text
    assert not re.search(r'"\w+": (\[\s*)?"text"', shown)
    assert not re.search(r"_ms(&quot;|\"): \d+\.", shown)


@asynchronous
async def test_no_example_overwrites_an_unseen_policy_or_makes_somebody_a_holder() -> None:
    examples = html.unescape((await fetched("/docs")).text)
    put = examples[examples.index('-X PUT "$BPS_URL"/v1/policy') :][:400]
    assert "%header{etag}" in put
    assert "If-Match: *" not in put
    assert '"holder": "example-only", "purposes": ["vote"]' in examples


@pytest.mark.parametrize("path", ["/docs", "/problems", "/problems/merge-conflict"])
def test_the_policy_of_a_page_allows_its_own_style_and_nothing_else(path: str) -> None:
    answer = run(fetched(path, "text/html"))
    policy = answer.headers["Content-Security-Policy"]
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "prefers-color-scheme: dark" in style[1]
    Page(answer.text)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/html;q=0.5, application/json", "application/json"),
    ],
)
def test_problems_are_explained_in_the_form_asked_for(accept: str, media: str) -> None:
    for path in ("/problems", "/problems/not-found"):
        answer = run(fetched(path, accept))
        assert answer.headers["Content-Type"].partition(";")[0] == media
        assert answer.headers.get("Vary") == "Accept"


@asynchronous
async def test_every_problem_type_has_its_page() -> None:
    async with served() as service:
        for code, row in catalogue().items():
            answer = await service.call("GET", row.problem_type, role=None)
            assert answer.json()["code"] == code
        unknown = await service.call("GET", "/problems/%3Cb%3E", role=None)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "ROUTE_NOT_FOUND")
