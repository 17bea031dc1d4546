"""What the service tells of conflicts: how many there were, and those that a veto made."""

from __future__ import annotations

from tests.asynchronous import asynchronous
from tests.edited import edited
from tests.integration.http.reviewing import BASE, PLAN, RV, YAML, calling
from tests.integration.http.served import TOKEN


@asynchronous
async def test_each_conflict_is_counted_once_where_nothing_and_where_a_part_is_published() -> None:
    async with calling() as caller:

        def counted() -> float | None:
            registry = caller.sidecar.metrics.registry
            return registry.get_sample_value("haios_rrplan_merge_conflicts_total")

        assert counted() == 0
        await caller.fighting()
        assert counted() == 2
        # The same again, also under another key, meets nothing new.
        await caller.ask("POST", f"{PLAN}/promotions", 409)
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "again"}
        for _ in range(2):
            answer = await caller.client.post(f"{PLAN}/promotions", headers=headers)
            assert answer.status_code == 409
        assert counted() == 2
        # One that conflicts with nobody is published, and the review is computed anew.
        await caller.fixed(3, edited(BASE, (b"carts: open", b"carts: shut")))
        part = (await caller.ask("POST", f"{PLAN}/promotions", 201)).json()
        assert (part["how"], part["conflicts"], counted()) == ("promotion", 2, 2)
        # A third version of one place is another conflict of it.
        await caller.fixed(4, edited(BASE, (b": 3", b": 4")))
        await caller.ask("POST", f"{PLAN}/promotions", 409)
        assert counted() == 3
        # A part is published, and the promotion itself opens a review.
        await caller.ask("POST", f"{RV}/rejection", 200, json={"reason": "none of them"})
        await caller.fixed(5, edited(BASE, (b": 900", b": 901")))
        await caller.fixed(6, edited(BASE, (b": 900", b": 902")))
        await caller.fixed(7, edited(BASE, (b"title: checkout", b"title: till")))
        assert (await caller.ask("POST", f"{PLAN}/promotions", 201)).json()["conflicts"] == 1
        assert counted() == 4


@asynchronous
async def test_a_veto_of_what_merges_clean_is_decided_at_its_place_like_any_conflict() -> None:
    async with calling() as caller:
        locked = BASE + b"_locked_owner: team-1\n"
        await caller.ask("PUT", PLAN, 201, content=locked, headers=YAML)
        fix = edited(locked, (b": 3", b": 5"), (b"team-1", b"team-2"))
        rr_plan = await caller.fixed(1, fix)
        waits = (await caller.ask("POST", f"{PLAN}/promotions", 409)).json()
        assert (waits["code"], waits["facts"]["conflicts"]) == ("MERGE_CONFLICT", 1)
        sheet = (await caller.ask("GET", RV, 200)).json()
        (conflict,) = sheet["conflicts"]
        assert (conflict["path"], conflict["kind"]) == ("/_locked_owner", "semantic")
        assert conflict["base"]["value"] == "team-1"
        assert [(each["branch"], each["by"]) for each in conflict["sides"]] == [(rr_plan, "tester")]
        assert conflict["sides"][0]["span"][0] == 5
        assert conflict["finding"].startswith("locked-fields: ")
        left = (await caller.decide("/_locked_owner", take="base")).json()
        assert (left["open"], left["findings"]) == ([], [])
        assert (await caller.ask("POST", f"{RV}/completion", 201)).json()["version"] == "2"
        assert await caller.canonical() == edited(locked, (b": 3", b": 5"))
        await caller.sound()
