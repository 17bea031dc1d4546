"""Lists: every item once, a page never reads more than it shows, and only our cursors count."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core import ids
from bps.core.errors import InvalidInput
from bps.http.pages import after, cursor_of, digits
from bps.plans.pages import branches_page, plans_page, versions_page
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, Scene
from tests.unit.http.harness import Served, served

YAML = {"Content-Type": "application/yaml"}


@given(st.text(st.characters(codec="ascii", exclude_characters="\n")), st.text("abc/", max_size=9))
def test_a_cursor_brings_back_what_it_was_made_of(last: str, listing: str) -> None:
    assert after(cursor_of(listing, last), listing, str) == last


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "=", "abc", "%%%", "\u00e9", "A" * 257, " ", cursor_of("plans", "EP-1") + "="),
        *(cursor_of("plans", "EP-1") + "A", cursor_of("branches/EP-1", "EP-1")),
        *(cursor_of("plans", "../EP-1"), cursor_of("plans", "")),
        urlsafe_b64encode(b"plans\nEP-1\xff").decode(),
    ],
)
def test_no_other_cursor_is_taken(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        after(cursor, "plans", ids.plan_id)


@pytest.mark.parametrize("text", ["", "+5", " 5", "5.0", "05", "1_0", "1e3", "\u0665", "9" * 20, 5])
def test_only_plain_digits_are_a_number(text: object) -> None:
    with pytest.raises(ValueError, match="plain decimal digits"):
        digits(text)


async def all_items(service: Served, path: str, limit: int) -> list[dict[str, Any]]:
    """Page through a list."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        following = f"&cursor={cursor}" if cursor else ""
        page = (await service.call("GET", f"{path}?limit={limit}{following}")).json()
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


@asynchronous
async def test_pages_hold_every_item_once_in_order() -> None:
    async with served() as service:
        for number in range(7):
            made = await service.call(
                "PUT", f"/v1/plans/EP-{number + 1}", content=b"title: a", headers=YAML
            )
            assert made.status_code == 201
        for trace in range(5):
            body = {"trace_id": f"t{trace}", "fingerprint": f"f{trace}"}
            await service.call("POST", "/v1/plans/EP-1/branches", json=body)
        for limit in (1, 3, 7, 500):
            plans = await all_items(service, "/v1/plans", limit)
            assert [each["plan"] for each in plans] == [f"EP-{n}" for n in range(1, 8)]
            branches = await all_items(service, "/v1/plans/EP-1/branches", limit)
            names = [each["branch"] for each in branches]
            assert names == sorted(ids.branch_id_of(f"t{trace}") for trace in range(5))
            versions = await all_items(service, "/v1/plans/EP-1/versions", limit)
            assert [each["version"] for each in versions] == ["1"]
        for path in ("/v1/plans/EP-9/branches", "/v1/plans/EP-9/versions"):
            assert (await service.call("GET", path)).json()["code"] == "NOT_FOUND"


@asynchronous
async def test_a_page_is_one_read_however_long_the_list() -> None:
    scene = await Scene.make()
    for plan in range(2, 12):
        await scene.register(b"v1", f"EP-{plan}")
    for trace in range(6):
        await scene.open(f"T{trace}")
    scene.store.reset()
    plans = await plans_page(scene.store, after="EP-1", limit=2)
    assert ([plan.plan for plan in plans.items], plans.more) == (["EP-10", "EP-11"], True)
    versions = await versions_page(scene.store, PLAN, after=None, limit=5)
    assert ([version.version for version in versions.items], versions.more) == ([1], False)
    assert scene.store.calls == ["page", "page"]
    scene.store.reset()
    first = await branches_page(scene.store, PLAN, after=None, limit=4)
    last = first.items[-1][0].branch
    rest = await branches_page(scene.store, PLAN, after=last, limit=4)
    assert (len(first.items), first.more, len(rest.items), rest.more) == (4, True, 2, False)
    assert scene.store.calls == ["page", "snapshot"] * 2
