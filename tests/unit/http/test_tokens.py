"""Credentials over HTTP: made, shown once, listed without secrets, replaced and ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bps.core import keys
from bps.core.errors import NoSpace
from bps.core.txn import Put, Txn
from bps.identity.roles import Role
from bps.identity.token_text import Token
from bps.leadership.modes import Reason
from tests.asynchronous import asynchronous
from tests.unit.http.guarded import Guarded, guarded

HERE = "/v1/identity"
WANTED = {"principal": "agent-7", "roles": ["agent"]}


async def comes_in(world: Guarded, secret: str) -> bool:
    return (await world.call("GET", HERE, f"Bearer {secret}")).status_code == 200


@asynchronous
async def test_a_token_comes_in_as_soon_as_it_was_made_and_not_after_it_was_revoked() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        made = await world.call("POST", "/v1/tokens", operator, json=WANTED)
        assert (made.status_code, made.headers["bps-outcome"]) == (201, "committed")
        assert made.headers["cache-control"] == "no-store"
        found = made.json()
        assert Token.parse(found["secret"])
        assert (found["state"], found["why"], found["roles"]) == ("valid", None, ["agent"])
        assert await comes_in(world, found["secret"])
        path = f"/v1/tokens/{found['id']}/revocation"
        ended = await world.call("POST", path, operator)
        assert (ended.status_code, ended.json()["state"]) == (200, "revoked")
        assert not await comes_in(world, found["secret"])
        again = await world.call("POST", path, operator, json={})
        assert again.headers["bps-outcome"] == "noop"
        assert again.headers["bps-why"]


@asynchronous
async def test_a_repeated_request_gets_the_credential_and_no_secret() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        first = await world.call("POST", "/v1/tokens", operator, json=WANTED, key="k")
        again = await world.call("POST", "/v1/tokens", operator, json=WANTED, key="k")
        assert (again.status_code, again.headers["bps-outcome"]) == (201, "repeated")
        assert again.json() == {
            **first.json(),
            "secret": None,
            "why": "a secret is shown once, and this operation was done before",
        }
        other = await world.call(
            "POST", "/v1/tokens", operator, json={**WANTED, "roles": ["operator"]}, key="k"
        )
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        path = f"/v1/tokens/{first.json()['id']}/rotation"
        rotated = await world.call("POST", path, operator, key="r")
        assert rotated.json()["secret"]
        assert (await world.call("POST", path, operator, key="r")).json()["secret"] is None


@asynchronous
async def test_after_a_rotation_only_the_new_secret_comes_in_or_both_for_a_while() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        for grace_s in (0, 1):
            made = (await world.call("POST", "/v1/tokens", operator, json=WANTED)).json()
            path = f"/v1/tokens/{made['id']}/rotation"
            answer = await world.call("POST", path, operator, json={"grace_s": grace_s})
            rotated = answer.json()
            assert (answer.status_code, rotated["rotated_from"]) == (201, made["id"])
            assert await comes_in(world, rotated["secret"])
            assert await comes_in(world, made["secret"]) is (grace_s > 0)
        await asyncio.sleep(1.01)
        assert not await comes_in(world, made["secret"])
        assert await comes_in(world, rotated["secret"])


@asynchronous
async def test_the_list_has_pages_and_neither_secrets_nor_digests() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        tokens = [await world.token(Role.AGENT) for _ in range(4)]
        seen: list[str] = []
        query: dict[str, Any] = {"limit": "2"}
        while True:
            answer = await world.call("GET", "/v1/tokens", operator, params=query)
            assert not any(each.digest in answer.text for each in tokens)
            assert not any(each.secret.hex() in answer.text for each in tokens)
            page = answer.json()
            seen += [each["id"] for each in page["items"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert seen == sorted(each.credential for each in (operator, *tokens))


@asynchronous
async def test_pages_go_on_after_a_credential_that_cannot_be_read() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        unreadable = [f"{number:016x}" for number in (0, 1)]
        await world.store.commit(
            Txn((), tuple(Put(keys.token(name), b"{}") for name in unreadable))
        )
        query: dict[str, Any] = {"limit": "1"}
        seen: list[tuple[str, str]] = []
        while not seen or query["cursor"] is not None:
            answer = await world.call("GET", "/v1/tokens", operator, params=query)
            assert answer.status_code == 200, answer.text
            seen += [(each["id"], each["state"]) for each in answer.json()["items"]]
            query["cursor"] = answer.json()["next_cursor"]
        valid = (operator.credential, "valid")
        assert seen == [*((name, "unreadable") for name in unreadable), valid]


@asynchronous
async def test_the_last_operator_cannot_lock_everybody_out() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        path = f"/v1/tokens/{operator.credential}"
        refused = await world.call("POST", f"{path}/revocation", operator)
        assert (refused.status_code, refused.json()["code"]) == (409, "WRONG_STATE")
        rotated = await world.call("POST", f"{path}/rotation", operator)
        assert rotated.status_code == 201
        assert not await comes_in(world, operator.text())
        assert await comes_in(world, rotated.json()["secret"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_INPUT"),
        ({"principal": "a"}, "INVALID_INPUT"),
        ({**WANTED, "roles": []}, "INVALID_INPUT"),
        ({**WANTED, "roles": ["root"]}, "INVALID_INPUT"),
        ({**WANTED, "roles": "agent"}, "INVALID_INPUT"),
        ({**WANTED, "roles": ["agent"] * 6}, "INVALID_INPUT"),
        ({**WANTED, "digest": "ab" * 32}, "INVALID_INPUT"),
        ({**WANTED, "expires_in_s": 0}, "INVALID_INPUT"),
        ({**WANTED, "expires_in_s": True}, "INVALID_INPUT"),
        ({**WANTED, "expires_in_s": 60.0}, "INVALID_INPUT"),
        ({**WANTED, "expires_in_s": "60"}, "INVALID_INPUT"),
        ({**WANTED, "expires_in_s": 2**53 - 1}, "INVALID_INPUT"),
        ({**WANTED, "comment": "a\nb"}, "INVALID_INPUT"),
        ({**WANTED, "comment": "a" * 201}, "INVALID_INPUT"),
        ({**WANTED, "principal": "bps"}, "INVALID_ID"),
        ({**WANTED, "principal": "../a"}, "INVALID_ID"),
        ({**WANTED, "principal": "Agent"}, "INVALID_ID"),
        ({**WANTED, "certificate_name": "agent"}, "INVALID_ID"),
    ],
)
def test_what_is_malformed_is_refused_and_nothing_is_written(
    body: dict[str, Any], code: str
) -> None:
    @asynchronous
    async def refuse() -> None:
        async with guarded() as world:
            operator = await world.token(Role.OPERATOR)
            writes = world.store.writes
            answer = await world.call("POST", "/v1/tokens", operator, json=body)
            assert (answer.status_code, answer.json()["code"]) == (400, code)
            assert world.store.writes == writes

    refuse()


@asynchronous
async def test_ids_that_are_none_are_named_and_unknown_ones_are_not_found() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        for act in ("rotation", "revocation"):
            malformed = await world.call("POST", f"/v1/tokens/XYZ/{act}", operator)
            assert (malformed.status_code, malformed.json()["code"]) == (400, "INVALID_ID")
            unknown = await world.call("POST", f"/v1/tokens/{'0' * 16}/{act}", operator)
            assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
        token = await world.token(Role.AGENT)
        path = f"/v1/tokens/{token.credential}/rotation"
        for grace_s in (-1, True, "1", 1.5, 30 * 86_400 + 1):
            refused = await world.call("POST", path, operator, json={"grace_s": grace_s})
            assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_INPUT")


@asynchronous
async def test_records_of_credentials_that_ended_are_pruned() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        gone = await world.token(Role.AGENT)
        await world.call("POST", f"/v1/tokens/{gone.credential}/revocation", operator)
        kept = await world.call("POST", "/v1/tokens/prunings", operator)
        assert (kept.status_code, kept.headers["bps-outcome"]) == (200, "noop")
        assert kept.json() == {"pruned": [], "more": False}
        await asyncio.sleep(1.01)
        body = {"older_than_s": 1}
        pruned = await world.call("POST", "/v1/tokens/prunings", operator, json=body)
        assert pruned.json() == {"pruned": [gone.credential], "more": False}
        listed = (await world.call("GET", "/v1/tokens", operator)).json()["items"]
        assert [each["id"] for each in listed] == [operator.credential]
        assert not await comes_in(world, gone.text())
        refused = await world.call(
            "POST", "/v1/tokens/prunings", operator, json={"older_than_s": 0}
        )
        assert refused.status_code == 400


@asynchronous
async def test_where_there_is_no_room_tokens_are_still_revoked_and_pruned() -> None:
    async with guarded() as world:
        operator, gone = await world.token(Role.OPERATOR), await world.token(Role.AGENT)
        world.sidecar.terms.hold(Reason.NO_SPACE, NoSpace("etcd is nearly full."))
        made = await world.call("POST", "/v1/tokens", operator, json=WANTED)
        assert (made.status_code, made.json()["code"]) == (507, "NO_SPACE")
        ended = await world.call("POST", f"/v1/tokens/{gone.credential}/revocation", operator)
        assert (ended.status_code, ended.json()["state"]) == (200, "revoked")
        pruned = await world.call("POST", "/v1/tokens/prunings", operator)
        assert pruned.status_code == 200
