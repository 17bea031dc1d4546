"""The guard, through the application: who is let in to which route, and what the others learn."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bps.core.errors import Unavailable
from bps.http.limits import Limits
from bps.http.routing import OPERATION, GuardedRoute
from bps.http.service import Service
from bps.identity.end import RevokeToken
from bps.identity.roles import ALLOWED, Identity, Operation, Role
from bps.identity.token_text import Token
from bps.sidecar.credentials import Credentials
from tests.asynchronous import asynchronous, eventually
from tests.unit.http.guarded import Guarded, guarded

OPEN = {
    "/livez",
    "/readyz",
    "/leaderz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/problems",
    "/problems/{slug}",
}
"""What anybody may read; `bps.http` itself keeps some of it on this machine."""
HERE = "/v1/identity"

OPERATIONS = """
GET  /v1/identity                                 identity.read
GET  /v1/plans                                    plan.read
PUT  /v1/plans/{plan}                             plan.register
GET  /v1/plans/{plan}                             plan.read
GET  /v1/plans/{plan}/canonical                   plan.read
GET  /v1/plans/{plan}/canonical/blueprint         plan.read
GET  /v1/plans/{plan}/versions                    plan.read
GET  /v1/plans/{plan}/versions/{version}          plan.read
GET  /v1/plans/{plan}/versions/{version}/blueprint plan.read
GET  /v1/plans/{plan}/versions/{version}/origins  plan.read
GET  /v1/plans/{plan}/blueprints/{digest}         plan.read
GET  /v1/plans/{plan}/branches                    plan.read
POST /v1/plans/{plan}/branches                    branch.open
GET  /v1/plans/{plan}/branches/{branch}           plan.read
GET  /v1/plans/{plan}/branches/{branch}/blueprint plan.read
POST /v1/plans/{plan}/branches/{branch}/submission branch.submit
POST /v1/plans/{plan}/branches/{branch}/failure   branch.fail
POST /v1/plans/{plan}/branches/{branch}/rebase    branch.rebase
POST /v1/plans/{plan}/promotions                  promotion.promote
POST /v1/plans/{plan}/reverts                     promotion.revert
GET  /v1/reviews                                  plan.read
GET  /v1/plans/{plan}/reviews                     plan.read
GET  /v1/plans/{plan}/reviews/{review}            plan.read
POST /v1/plans/{plan}/reviews/{review}/claim      review.claim
POST /v1/plans/{plan}/reviews/{review}/release    review.release
POST /v1/plans/{plan}/reviews/{review}/resolutions review.resolve
POST /v1/plans/{plan}/reviews/{review}/completion review.complete
POST /v1/plans/{plan}/reviews/{review}/rejection  review.reject
GET  /v1/plans/{plan}/events                      events.read
GET  /v1/events                                   events.read
GET  /v1/plans/{plan}/verification                proof.run
GET  /v1/plans/{plan}/replay                      proof.run
GET  /v1/mode                                     mode.read
PUT  /v1/mode                                     mode.write
POST /v1/rollbacks                                rollback.accept
GET  /v1/policy                                   policy.read
PUT  /v1/policy                                   policy.replace
GET  /v1/initiatives                              initiative.read
POST /v1/initiatives                              initiative.create
GET  /v1/initiatives/{initiative}                 initiative.read
GET  /v1/tokens                                   token.read
POST /v1/tokens                                   token.write
POST /v1/tokens/{token}/rotation                  token.write
POST /v1/tokens/prunings                          token.write
POST /v1/tokens/{token}/revocation                token.write
GET  /v1/keys                                     key.read
POST /v1/keys                                     key.write
POST /v1/keys/{key}/rotation                      key.write
POST /v1/keys/{key}/revocation                    key.write
POST /v1/keys/statements                          key.read
GET  /v1/checkpoints                              checkpoint.read
GET  /v1/checkpoints/{seq}                        checkpoint.read
GET  /v1/doctor                                   doctor.read
"""
"""Which operation each route is, by hand: a route that names the wrong one is found here."""


def routes_of(world: Guarded) -> list[Any]:
    """Every route of the application, those of included routers too."""

    def flat(routes: list[Any]) -> Iterator[Any]:
        for route in routes:
            inner = getattr(route, "original_router", None)
            yield from [route] if inner is None else flat(inner.routes)

    return list(flat(list(world.app.routes)))


def guarded_routes(world: Guarded) -> list[tuple[str, str, Operation]]:
    """Method, path and operation of each route that is not open."""
    return [
        (method, route.path, Operation(route.openapi_extra[OPERATION]))
        for route in routes_of(world)
        if route.path not in OPEN
        for method in route.methods
    ]


@asynchronous
async def test_every_route_is_open_by_name_or_guarded_as_the_operation_that_it_is() -> None:
    rows = (row.split() for row in OPERATIONS.strip().splitlines())
    table = {(method, _places(path)): operation for method, path, operation in rows}
    async with guarded() as world:
        for route in routes_of(world):
            assert route.path in OPEN or isinstance(route, GuardedRoute), route.path
        for method, path, operation in guarded_routes(world):
            assert table.get((method, _places(path))) == operation.value, (method, path)
        assert len(guarded_routes(world)) > 30


def _places(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


@asynchronous
async def test_every_route_refuses_exactly_the_roles_that_the_matrix_refuses() -> None:
    async with guarded() as world:
        tokens = {role: await world.token(role, principal=role.value) for role in Role}
        for method, path, operation in guarded_routes(world):
            place = _places(path).replace("{}", "x")
            for role, token in tokens.items():
                # A parameter that no route has: whoever is let in is refused for it, and no
                # sooner, so that nothing is read and no stream begins.
                answer = await world.call(method, place, token, params={"no-such": "1"})
                expected = 400 if role in ALLOWED[operation] else 403
                assert answer.status_code == expected, (method, path, role)
                if expected == 403:
                    assert answer.json()["code"] == "FORBIDDEN"

            async def is_refused(method: str = method, place: str = place) -> bool:
                nobody = await world.call(method, place, params={"no-such": "1"})
                if nobody.status_code == 429:
                    # One address may fail only so often; it is asked again.
                    return False
                assert nobody.status_code == 401
                return nobody.headers["www-authenticate"] == "Bearer"

            await eventually(is_refused, "nobody is refused")


@asynchronous
async def test_a_denial_is_the_same_whether_the_thing_exists_or_not() -> None:
    async with guarded() as world:
        agent = await world.token(Role.AGENT)
        there = await world.call("POST", f"/v1/tokens/{agent.credential}/revocation", agent)
        absent = await world.call("POST", f"/v1/tokens/{'0' * 16}/revocation", agent)
        differs = {"trace_id", "instance"}
        assert there.status_code == absent.status_code == 403
        assert _without(there.json(), differs) == _without(absent.json(), differs)


def _without(problem: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name not in names}


@asynchronous
async def test_all_that_is_not_valid_gets_one_and_the_same_answer() -> None:
    async with guarded() as world:
        token = await world.token(Role.AGENT)
        expired = await world.token(Role.AGENT, expires_in_s=1)
        revoked = await world.token(Role.AGENT)
        await world.sidecar.execute(RevokeToken("tester", "r", revoked.credential))
        await asyncio.sleep(1.01)
        text = token.text()
        problems = [
            _without((await world.call("GET", HERE, sent)).json(), {"trace_id"})
            for sent in (
                "",
                "Bearer",
                "Bearer ",
                f"Basic {text}",
                f"Token {text}",
                f"Bearer {text.upper()}",
                f"Bearer {text} {text}",
                f"Bearer\t{text}",
                f"Bearer {text[:-1]}",
                "Bearer " + "x" * 2_000,
                f"Bearer {Token.generate().text()}",
                f"Bearer {Token(token.credential, bytes(32)).text()}",
                f"Bearer {Token(expired.credential, bytes(32)).text()}",
                f"Bearer {Token(revoked.credential, bytes(32)).text()}",
            )
        ]
        assert problems[0]["code"] == "UNAUTHENTICATED"
        assert all(problem == problems[0] for problem in problems)
        assert (await world.call("GET", HERE, None)).json()["code"] == "UNAUTHENTICATED"
        for scheme in ("Bearer", "bearer", "BEARER"):
            assert (await world.call("GET", HERE, f"{scheme} {text}")).status_code == 200


@asynchronous
async def test_who_shows_the_secret_of_an_ended_token_is_told_how_it_ended() -> None:
    async with guarded() as world:
        expired = await world.token(Role.AGENT, expires_in_s=1)
        revoked = await world.token(Role.AGENT)
        await world.sidecar.execute(RevokeToken("tester", "r", revoked.credential))
        await asyncio.sleep(1.01)
        for token, state in ((expired, "expired"), (revoked, "revoked")):
            answer = await world.call("GET", HERE, f"Bearer {token.text()}")
            assert answer.status_code == 401
            assert answer.json()["detail"] == f"This token is {state}."
            assert "bps token create" in answer.json()["next_action"]


@asynchronous
async def test_who_may_not_learns_which_roles_may() -> None:
    async with guarded() as world:
        token = await world.token(Role.AGENT)
        answer = await world.call("GET", "/v1/tokens", token)
        assert answer.status_code == 403
        assert "auditor, operator (docs/roles.md)" in answer.json()["next_action"]
        answer = await world.call("PUT", "/v1/mode", token, json={})
        assert answer.json()["next_action"] == "Use a token with the role operator (docs/roles.md)."


@asynchronous
async def test_two_headers_of_authorization_are_refused() -> None:
    async with guarded() as world:
        token = await world.token(Role.AGENT)
        sent = [("Authorization", f"Bearer {token.text()}")] * 2
        answer = await world.client.get(HERE, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUT")


@asynchronous
async def test_an_unknown_token_costs_the_store_nothing_while_the_watch_is_warm() -> None:
    async with guarded() as world:
        token = await world.token(Role.AGENT)
        world.store.reset()
        for sent in (token, Token.generate()):
            await world.call("GET", HERE, sent)
        assert not [read for reads in world.store.reads for read in reads if "tokens" in str(read)]


@asynchronous
async def test_no_secret_comes_back_in_an_answer() -> None:
    async with guarded() as world:
        token = await world.token(Role.AGENT)
        for sent in (f"Basic {token.text()}", f"Bearer {token.text()}x", f"Bearer {token.text()}"):
            answer = await world.call("GET", HERE, sent)
            assert token.secret.hex() not in answer.text
            assert token.digest not in answer.text


PEER = {
    "subject": ((("commonName", "agent-7"),),),
    "subjectAltName": (("URI", "spiffe://example.org/agent-7"),),
}
URI = "uri:spiffe://example.org/agent-7"


@asynchronous
async def test_a_registered_certificate_comes_in_and_an_unknown_one_does_not() -> None:
    async with guarded() as world:
        world.peer = PEER
        assert (await world.call("GET", HERE)).status_code == 401
        credential = await world.certified(URI, Role.AGENT, principal="agent-7")
        answer = await world.call("GET", HERE)
        assert answer.json() == {
            "principal": "agent-7",
            "roles": ["agent"],
            "credential": credential,
        }


@asynchronous
async def test_a_name_of_another_kind_or_case_is_not_the_registered_one() -> None:
    async with guarded() as world:
        for name in ("dns:agent-7", "uri:agent-7", "cn:AGENT-7", "cn:agent-77"):
            await world.certified(name, Role.OPERATOR)
        world.peer = PEER
        assert (await world.call("GET", HERE)).status_code == 401


@asynchronous
async def test_a_token_beside_a_certificate_must_name_the_same_principal() -> None:
    async with guarded() as world:
        mine = await world.token(Role.AUDITOR, principal="agent-7")
        other = await world.token(Role.AUDITOR, principal="other")
        world.peer = PEER
        assert (await world.call("GET", HERE, other)).status_code == 200
        credential = await world.certified(URI, Role.AGENT, principal="agent-7")
        assert (await world.call("GET", HERE, mine)).json()["roles"] == ["auditor"]
        assert (await world.call("GET", HERE, other)).status_code == 401
        assert (await world.call("GET", HERE, Token.generate())).status_code == 401
        outcome = await world.sidecar.execute(RevokeToken("tester", "r", credential))
        world.sidecar.credentials.wrote(outcome.revision, outcome.result)
        assert (await world.call("GET", HERE)).status_code == 401
        assert (await world.call("GET", HERE, mine)).status_code == 401


@asynchronous
async def test_a_certificate_with_names_of_two_principals_is_refused() -> None:
    async with guarded() as world:
        await world.certified(URI, Role.AGENT, principal="agent-7")
        await world.certified("cn:agent-7", Role.OPERATOR, principal="other")
        world.peer = PEER
        assert (await world.call("GET", HERE)).status_code == 401


@asynchronous
async def test_failures_of_an_address_are_counted_and_valid_tokens_still_come_in() -> None:
    async with guarded(Limits(unauthenticated_per_s=1.0)) as world:
        token = await world.token(Role.AGENT)
        codes = [(await world.call("GET", HERE, Token.generate())).status_code for _ in range(6)]
        assert codes[0] == 401
        assert codes[-1] == 429
        assert (await world.call("GET", HERE, token)).status_code == 200


@asynchronous
async def test_while_the_watch_is_down_failures_are_counted_before_the_store_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Credentials, "warm", False)
    async with guarded(Limits(unauthenticated_per_s=1.0), warm=False) as world:
        token = await world.token(Role.AGENT)
        for _ in range(6):
            assert (await world.call("GET", HERE, token)).status_code == 200
        world.store.reset()
        for _ in range(6):
            answer = await world.call("GET", HERE, Token.generate())
        assert answer.status_code == 429
        read = [each for reads in world.store.reads for each in reads if "tokens" in str(each)]
        assert 1 <= len(read) <= 3


@asynchronous
async def test_one_principal_s_rate_is_not_another_s() -> None:
    async with guarded(Limits(requests_per_s=1.0, burst=2)) as world:
        busy = await world.token(Role.AGENT, principal="busy")
        calm = await world.token(Role.AGENT, principal="calm")
        answers = [await world.call("GET", HERE, busy) for _ in range(4)]
        assert [answer.status_code for answer in answers][-1] == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await world.call("GET", HERE, calm)).status_code == 200


@asynchronous
async def test_who_may_stay_is_who_would_come_in_again() -> None:
    async with guarded() as world:
        service: Service = world.app.state.service
        token = await world.token(Role.AGENT, principal="agent-7")
        identity = Identity("agent-7", frozenset({Role.AGENT}), token.credential)
        assert await service.guard.still_valid(identity)
        more = Identity("agent-7", frozenset({Role.OPERATOR}), token.credential)
        assert not await service.guard.still_valid(more)
        assert not await service.guard.still_valid(
            Identity("agent-7", frozenset({Role.AGENT}), "0" * 16)
        )
        outcome = await world.sidecar.execute(RevokeToken("tester", "r", token.credential))
        world.sidecar.credentials.wrote(outcome.revision, outcome.result)
        assert not await service.guard.still_valid(identity)


@asynchronous
async def test_who_came_in_stays_while_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    async with guarded() as world:
        service: Service = world.app.state.service
        token = await world.token(Role.AGENT, principal="agent-7")

        async def silent(*_: object) -> None:
            raise Unavailable("Nobody answers.")

        monkeypatch.setattr(world.sidecar.credentials, "find", silent)
        identity = Identity("agent-7", frozenset({Role.AGENT}), token.credential)
        assert await service.guard.still_valid(identity)
        answer = await world.call("GET", HERE, token)
        assert (answer.status_code, answer.json()["code"]) == (503, "STORE_UNAVAILABLE")
