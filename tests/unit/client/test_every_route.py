"""Each route of the API has its method."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from bps.api.requests import PolicyRequest
from bps.client import BpsClient
from bps.core.errors import NotFound
from bps.policy.model import DEFAULT_POLICY
from tests.asynchronous import asynchronous
from tests.unit.client.services import client_of
from tests.unit.client.test_transport import problem
from tests.unit.http.harness import served


class _Wanted(BaseModel):
    """Any body of a request."""


def calls(client: BpsClient) -> list[Coroutine[Any, Any, Any] | AsyncGenerator[Any, None]]:
    policy = PolicyRequest.model_validate(DEFAULT_POLICY.model_dump(exclude={"n"}))
    wanted: Any = _Wanted()
    return [
        client.identity(),
        client.plans(),
        client.register_plan("EP-1", b"a: 1\n"),
        client.plan("EP-1"),
        client.canonical("EP-1"),
        client.versions("EP-1"),
        client.version("EP-1", 1),
        client.blueprint("EP-1"),
        client.blueprint("EP-1", 1),
        client.origins("EP-1", 1),
        client.blueprint_named("EP-1", "0" * 64),
        client.verify("EP-1"),
        client.replay("EP-1"),
        client.branches("EP-1"),
        client.rr_plan("EP-1", "66400e4b"),
        client.submitted("EP-1", "66400e4b"),
        client.open_branch("EP-1", trace_id="t", fingerprint="f"),
        client.submit_branch("EP-1", "66400e4b", b"a: 1\n"),
        client.fail_branch("EP-1", "66400e4b", "why"),
        client.rebase_branch("EP-1", "66400e4b"),
        client.promote("EP-1"),
        client.revert("EP-1", 1),
        client.open_reviews(),
        client.reviews("EP-1"),
        client.review("EP-1-RV1"),
        client.claim_review("EP-1-RV1"),
        client.release_review("EP-1-RV1"),
        client.resolve_review("EP-1-RV1", [{"path": "/a", "take": "base"}]),
        client.complete_review("EP-1-RV1"),
        client.reject_review("EP-1-RV1", "why"),
        client.events("EP-1"),
        client.all_events(),
        client.tokens(),
        client.create_token("agent-1", ["agent"]),
        client.rotate_token("0" * 16),
        client.revoke_token("0" * 16),
        client.prune_tokens(),
        client.initiatives(),
        client.initiative("default"),
        client.create_initiative("default"),
        client.policy(),
        client.replace_policy(policy, if_match='"1-x"'),
        client.mode(),
        client.set_mode("READ_ONLY", reason="why"),
        client.accept_rollback("why"),
        client.keys(),
        client.add_key("ssh-ed25519 x", holder="a", purposes=["holder"]),
        client.rotate_key("0" * 16, "ssh-ed25519 x"),
        client.revoke_key("0" * 16),
        client.key_statement(wanted),
        client.checkpoints(),
        client.checkpoint(1),
        client.doctor(),
    ]


@asynchronous
async def test_every_route_has_its_method() -> None:
    async with served() as service:
        app = service.client._transport.app  # type: ignore[attr-defined]
    routes = {
        (method.upper(), path): re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        for path, item in app.openapi()["paths"].items()
        if path.startswith("/v1/")
        for method in item
    }
    missing = set(routes)

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        found = [
            named
            for named, form in routes.items()
            if named[0] == request.method and form.fullmatch(path)
        ]
        assert found, (request.method, path)
        missing.difference_update(found)
        return problem("NOT_FOUND", 404)

    async with client_of(answer) as client:
        for call in calls(client):
            with pytest.raises(NotFound):
                await (anext(call) if isinstance(call, AsyncGenerator) else call)
    assert missing == set()
