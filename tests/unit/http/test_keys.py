"""The key registry and the checkpoints over HTTP."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bps.core import keys
from bps.core.ports import Key
from bps.core.txn import Put, Txn
from bps.keyring.model import KeyStatement
from bps.keyring.private_key import PrivateKey
from bps.keyring.statement import approve
from tests.asynchronous import asynchronous
from tests.unit.http.harness import Served, served
from tests.unit.keyring.people import key_of


def body(key: PrivateKey, holder: str, **more: Any) -> dict[str, Any]:
    return {"public_key": key.public.text, "holder": holder, "purposes": ["holder"], **more}


async def approved(service: Served, wanted: dict[str, Any], *keys: PrivateKey) -> list[Any]:
    """The envelopes of the holders of `keys` for the change `wanted`."""
    answer = await service.call("POST", "/v1/keys/statements", role="agent", json=wanted)
    assert answer.status_code == 200, answer.text
    statement = KeyStatement.model_validate(answer.json()).encode()
    return [approve(statement, key) for key in keys]


async def three_holders(service: Served) -> None:
    for n, holder in enumerate(("alice", "bob", "carol"), 1):
        added = await service.call(
            "POST", "/v1/keys", role="operator", json=body(key_of(n), holder)
        )
        assert added.status_code == 201, added.text


@asynchronous
async def test_keys_are_added_listed_rotated_and_revoked() -> None:
    async with served() as service:
        made = await service.call(
            "POST", "/v1/keys", role="operator", json=body(key_of(1), "alice"), key="one"
        )
        again = await service.call(
            "POST", "/v1/keys", role="operator", json=body(key_of(1), "alice"), key="one"
        )
        assert (made.status_code, again.status_code) == (201, 201)
        assert (again.headers["BPS-Outcome"], again.json()) == ("repeated", made.json())
        path = f"/v1/keys/{key_of(1).public.key_id}"
        rotated = await service.call(
            "POST", f"{path}/rotation", role="operator", json={"public_key": key_of(2).public.text}
        )
        assert rotated.json()["replaces"] == key_of(1).public.key_id
        path = f"/v1/keys/{key_of(2).public.key_id}"
        revoked = await service.call("POST", f"{path}/revocation", role="operator")
        assert revoked.status_code == 200
        first = await service.call("GET", "/v1/keys?limit=1", role="agent")
        cursor = first.json()["next_cursor"]
        second = await service.call("GET", f"/v1/keys?limit=1&cursor={cursor}", role="agent")
        rows = first.json()["items"] + second.json()["items"]
        assert second.json()["next_cursor"] is None
        assert [row["state"] for row in rows] == ["revoked", "revoked"]
        assert {row["holder"] for row in rows} == {"alice"}


@asynchronous
async def test_an_unreadable_key_is_listed_in_its_place_and_hides_no_other() -> None:
    async with served() as service:
        await three_holders(service)
        names = sorted(key_of(n).public.key_id for n in (1, 2, 3))
        stored = (await service.store.snapshot([Key(keys.key(names[2]))])).answers[0][0].value
        no_key = orjson.dumps({**orjson.loads(stored), "public_key": "AAAA"})
        await service.store.commit(
            Txn((), (Put(keys.key(names[0]), b"{}"), Put(keys.key(names[2]), no_key)))
        )
        rows: list[dict[str, Any]] = []
        query = {"limit": "1"}
        while query.get("cursor", "") is not None:
            page = await service.call("GET", "/v1/keys", params=query)
            assert page.status_code == 200, page.text
            rows += page.json()["items"]
            query["cursor"] = page.json()["next_cursor"]
        states = ["unreadable", "valid", "unreadable"]
        assert [(row["key_id"], row["state"]) for row in rows] == [*zip(names, states, strict=True)]
        assert all(row["comment"] and row["holder"] is None for row in (rows[0], rows[2]))


@asynchronous
async def test_two_of_three_holders_replace_a_lost_key() -> None:
    async with served() as service:
        await three_holders(service)
        lost = key_of(3).public.key_id
        wanted = {"action": "rotate", "key_id": lost, "public_key": key_of(9).public.text}
        envelopes = await approved(service, wanted, key_of(1), key_of(2))
        path, new = f"/v1/keys/{lost}/rotation", {"public_key": key_of(9).public.text}
        short = await service.call(
            "POST", path, role="operator", json={**new, "approvals": envelopes[:1]}
        )
        assert (short.status_code, short.json()["code"]) == (409, "APPROVALS_MISSING")
        assert short.json()["facts"]["counted"] == 1
        done = await service.call(
            "POST", path, role="operator", json={**new, "approvals": envelopes}
        )
        assert done.status_code == 201, done.text
        assert done.json()["holders"] == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"public_key": "ssh-rsa AAAA"}, "INVALID_INPUT"),
        ({"public_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n"}, "INVALID_INPUT"),
        ({"holder": "Alice"}, "INVALID_ID"),
        ({"purposes": []}, "INVALID_INPUT"),
        ({"purposes": ["everything"]}, "INVALID_INPUT"),
        ({"comment": "two\nlines"}, "INVALID_INPUT"),
        ({"approvals": [{"payload": "AAAA"}]}, "INVALID_INPUT"),
        ({"extra": 1}, "INVALID_INPUT"),
    ],
)
@asynchronous
async def test_a_bad_key_is_refused_and_not_repeated(changes: dict[str, Any], code: str) -> None:
    async with served() as service:
        answer = await service.call(
            "POST", "/v1/keys", role="operator", json={**body(key_of(1), "alice"), **changes}
        )
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert "secret" not in answer.text
        assert (await service.call("GET", "/v1/keys")).json()["items"] == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"action": "add", "key_id": "0" * 16},
        {"action": "revoke", "public_key": "AAAA"},
        {"action": "rotate", "key_id": "0" * 16},
        {"action": "remove", "key_id": "0" * 16},
        {"action": "revoke", "key_id": "short"},
        {"action": "revoke", "key_id": "0" * 16, "expires_in_s": 1},
    ],
)
@asynchronous
async def test_a_statement_needs_what_its_action_needs(wanted: dict[str, Any]) -> None:
    async with served() as service:
        answer = await service.call("POST", "/v1/keys/statements", json=wanted)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUT")


@asynchronous
async def test_checkpoints_are_shown_verified_and_paged() -> None:
    async with served() as service:
        none = await service.call("GET", "/v1/checkpoints", role="auditor")
        assert none.json() == {"items": [], "next_cursor": None}
        missing = await service.call("GET", "/v1/checkpoints/1", role="auditor")
        assert missing.status_code == 404
        for bad in ("0", "-1", "1.0", "x", "9" * 30):
            answer = await service.call("GET", f"/v1/checkpoints/{bad}", role="auditor")
            assert answer.status_code == 400, bad
        refused = await service.call("GET", "/v1/checkpoints", role="agent")
        assert refused.status_code == 403
