"""Initiatives over HTTP, and plans that name them."""

from __future__ import annotations

from typing import Any

import pytest

from bps.core import keys
from bps.core.txn import Put, Txn
from bps.identity.roles import Role
from tests.asynchronous import asynchronous
from tests.unit.http.guarded import guarded

PLACE = "/v1/initiatives"
YAML = {"Content-Type": "application/yaml"}


@asynchronous
async def test_an_initiative_is_made_once_and_shown() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        wanted = {"initiative": "checkout", "title": "Kasse ☂", "zone": "Europe/Berlin"}
        made = await world.call("POST", PLACE, operator, json=wanted)
        assert (made.status_code, made.headers["bps-outcome"]) == (201, "committed")
        assert {name: made.json()[name] for name in wanted} == wanted
        for outcome in ("noop", "repeated"):
            again = await world.call("POST", PLACE, operator, json=wanted, key="again")
            assert (again.status_code, again.headers["bps-outcome"]) == (201, outcome)
            assert again.json() == made.json()
        shown = await world.call("GET", f"{PLACE}/checkout", operator)
        assert shown.json() == made.json()
        other = await world.call("POST", PLACE, operator, json={"initiative": "checkout"})
        assert (other.status_code, other.json()["code"]) == (409, "EXISTS")


@asynchronous
async def test_the_list_has_pages_and_begins_with_the_default() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        for name in ("e", "e-1", "e-2"):
            await world.call("POST", PLACE, operator, json={"initiative": name})
        first = (await world.call("GET", PLACE, operator, params={"limit": "2"})).json()
        query = {"limit": "2", "cursor": first["next_cursor"]}
        second = (await world.call("GET", PLACE, operator, params=query)).json()
        names = [each["initiative"] for each in (*first["items"], *second["items"])]
        assert names == ["default", "e", "e-1", "e-2"]
        assert second["next_cursor"] is None


@asynchronous
async def test_an_unreadable_initiative_is_listed_in_its_place_and_hides_no_other() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        await world.call("POST", PLACE, operator, json={"initiative": "e"})
        await world.store.commit(
            Txn((), tuple(Put(keys.initiative(name), b"{}") for name in ("d", "f")))
        )
        rows: list[dict[str, Any]] = []
        query = {"limit": "1"}
        while query.get("cursor", "") is not None:
            page = await world.call("GET", PLACE, operator, params=query)
            assert page.status_code == 200, page.text
            rows += page.json()["items"]
            query["cursor"] = page.json()["next_cursor"]
        assert [(row["initiative"], row["state"], bool(row["why"])) for row in rows] == [
            ("d", "unreadable", True),
            ("default", "valid", False),
            ("e", "valid", False),
            ("f", "unreadable", True),
        ]
        one = await world.call("GET", f"{PLACE}/d", operator)
        assert (one.status_code, one.json()["code"]) == (500, "MALFORMED_RECORD")


@asynchronous
async def test_a_plan_belongs_to_an_initiative_that_there_is() -> None:
    async with guarded() as world:
        operator = await world.token(Role.OPERATOR)
        path, query = "/v1/plans/EP-1", {"initiative": "checkout"}
        options: dict[str, Any] = {"params": query, "headers": YAML, "content": b"a: 1\n"}
        refused = await world.call("PUT", path, operator, **options)
        assert (refused.status_code, refused.json()["code"]) == (404, "NOT_FOUND")
        assert "bps initiative create checkout" in refused.json()["next_action"]
        await world.call("POST", PLACE, operator, json=query)
        assert (await world.call("PUT", path, operator, **options)).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_INPUT"),
        ({"initiative": "Checkout"}, "INVALID_ID"),
        ({"initiative": "a/governance"}, "INVALID_ID"),
        ({"initiative": "a", "zone": "Mars/Olympus"}, "INVALID_INPUT"),
        ({"initiative": "a", "zone": "../../etc/passwd"}, "INVALID_INPUT"),
        ({"initiative": "a", "zone": "Europe"}, "INVALID_INPUT"),
        ({"initiative": "a", "zone": "localtime"}, "INVALID_INPUT"),
        ({"initiative": "a", "zone": ""}, "INVALID_INPUT"),
        ({"initiative": "a", "title": "a\nb"}, "INVALID_INPUT"),
        ({"initiative": "a", "title": 1}, "INVALID_INPUT"),
        ({"initiative": "a", "freeze": True}, "INVALID_INPUT"),
    ],
)
def test_what_is_malformed_is_refused(body: dict[str, Any], code: str) -> None:
    @asynchronous
    async def refuse() -> None:
        async with guarded() as world:
            operator = await world.token(Role.OPERATOR)
            answer = await world.call("POST", PLACE, operator, json=body)
            assert (answer.status_code, answer.json()["code"]) == (400, code)

    refuse()
