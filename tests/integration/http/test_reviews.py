"""Reviews over real HTTP and etcd: entity tags, decisions that hold while canonical moves."""

from __future__ import annotations

from typing import Any

from bps.core.ids import ReviewId
from bps.review.claim import ClaimReview
from tests.asynchronous import asynchronous, eventually
from tests.edited import edited
from tests.integration.http.reviewing import BASE, PLAN, RV, YAML, calling, stored


@asynchronous
async def test_an_act_on_a_review_that_changed_is_refused_and_told_its_present_etag() -> None:
    async with calling() as caller:
        await caller.fighting()
        seen = await caller.etag()
        await caller.ask("POST", f"{RV}/claim", 200, json={"minutes": 1}, seen=seen)
        now = await caller.etag()
        assert now != seen
        choice = {"resolutions": [{"path": "/retries", "take": "base"}]}
        acts: list[tuple[str, dict[str, Any]]] = [
            ("claim", {}),
            ("release", {}),
            ("resolutions", choice),
            ("completion", {}),
            ("rejection", {"reason": "x"}),
        ]
        for act, body in acts:
            for stale in (seen, f"W/{now}"):
                refused = await caller.ask("POST", f"{RV}/{act}", 412, json=body, seen=stale)
                assert refused.json()["code"] == "PRECONDITION_FAILED"
                assert refused.json()["facts"]["etag"] == now
            malformed = await caller.ask("POST", f"{RV}/{act}", 400, json=body, seen="1-1")
            assert malformed.json()["code"] == "INVALID_INPUT"
        assert await caller.etag() == now
        for seen_now in (now, "*"):
            await caller.ask("POST", f"{RV}/resolutions", 200, json=choice, seen=seen_now)


@asynchronous
async def test_of_two_who_saw_the_same_review_one_decides() -> None:
    async with calling() as caller:
        await caller.fighting()
        seen = await caller.etag()
        choice = {"resolutions": [{"path": "/retries", "take": "base"}]}
        await caller.ask("POST", f"{RV}/resolutions", 200, json=choice, seen=seen)
        await caller.ask("POST", f"{RV}/resolutions", 412, json=choice, seen=seen)


@asynchronous
async def test_decisions_are_carried_when_canonical_moves_and_completed_as_one_version() -> None:
    async with calling() as caller:
        one, two = await caller.fighting()
        await caller.decide("/retries", text="8")
        free = await caller.fixed(3, edited(BASE, (b"carts: open", b"carts: shut")))
        body = {"branches": [free]}
        await caller.ask("POST", f"{PLAN}/promotions", 201, json=body)
        sheet = (await caller.ask("GET", RV, 200)).json()
        assert (sheet["canonical_version"], sheet["undecided"]) == ("2", 1)
        assert [c["resolution"] is not None for c in sheet["conflicts"]] == [True, False]
        early = (await caller.ask("POST", f"{RV}/completion", 409)).json()
        assert (early["code"], early["facts"]["conflicts"]) == ("MERGE_CONFLICT", 1)
        left = (await caller.decide("/timeout_ms", take=two)).json()
        assert (left["open_total"], left["findings_total"]) == (0, 0)
        seen = await caller.etag()
        why = {"reason": "decided"}
        done = (await caller.ask("POST", f"{RV}/completion", 201, json=why, seen=seen)).json()
        assert (done["version"], done["how"]) == ("3", "promotion")
        assert {each["rr_plan"] for each in done["contributors"]} == {one, two}
        merged = edited(
            BASE, (b": 3", b": 8"), (b": 900", b": 2000"), (b"carts: open", b"carts: shut")
        )
        assert await caller.canonical() == merged
        versions = (await caller.ask("GET", f"{PLAN}/versions", 200)).json()["items"]
        assert [each["version"] for each in versions] == ["1", "2", "3"]
        proof = await caller.sound()
        receipt = {"receipt_seq": done["receipt"]["seq"], "receipt_hash": done["receipt"]["hash"]}
        held = (await caller.ask("GET", f"{PLAN}/verification", 200, params=receipt)).json()
        assert (held["receipt"], held["events"]) == (True, proof["events"])
        forged = {**receipt, "receipt_hash": "f" * 64}
        await caller.ask("GET", f"{PLAN}/verification", 409, params=forged)


@asynchronous
async def test_a_closed_review_is_cached_by_its_etag_and_takes_no_more_acts() -> None:
    async with calling() as caller:
        await caller.fighting()
        metric = caller.sidecar.metrics.registry.get_sample_value

        async def counted() -> bool:
            return (metric("bps_open_reviews"), metric("bps_pending_promotions")) == (1, 2)

        await eventually(counted, "the metrics show what waits")
        assert 0 <= (metric("bps_oldest_review_age_seconds") or 0) < 60
        etag = await caller.etag()
        known = {"If-None-Match": etag}
        # An open one is computed anew: what is below it may have moved.
        await caller.ask("GET", RV, 200, headers=known)
        await caller.ask("POST", f"{RV}/rejection", 200, json={"reason": "both wrong"})
        etag = await caller.etag()
        await caller.ask("GET", RV, 304, headers={"If-None-Match": etag})
        (listed,) = (await caller.ask("GET", f"{PLAN}/reviews", 200)).json()["items"]
        assert (listed["status"], listed["reason"]) == ("REJECTED", "both wrong")

        async def none_left() -> bool:
            return metric("bps_open_reviews") == metric("bps_oldest_review_age_seconds") == 0

        await eventually(none_left, "the metrics show that nothing waits")
        for act in ("claim", "release", "completion"):
            refused = await caller.ask("POST", f"{RV}/{act}", 409)
            assert refused.json()["code"] == "WRONG_STATE"
        by_number = await caller.ask("GET", f"{PLAN}/reviews/1", 200)
        assert (
            by_number.content == (await caller.ask("GET", f"{PLAN}/reviews/EP-1-RV1", 200)).content
        )
        for missing in ("2", "EP-1-RV2", "EP-2-RV1"):
            await caller.ask("GET", f"{PLAN}/reviews/{missing}", 404)
        for wrong in ("0", "01", "RV1", "EP-1-RV0", "EP-1-RR(br66400e4b)-1"):
            refused = await caller.ask("GET", f"{PLAN}/reviews/{wrong}", 400)
            assert refused.json()["code"] == "INVALID_ID"


@asynchronous
async def test_what_is_rejected_is_nullified_for_good_and_replay_agrees() -> None:
    async with calling() as caller:
        one, two = await caller.fighting()
        reject = {"reason": "breaks it", "branches": [one]}
        half = (await caller.ask("POST", f"{RV}/rejection", 200, json=reject)).json()
        assert (half["status"], half["contributors"]) == ("OPEN", [two])
        assert [each["status"] for each in half["nullified"]] == ["OBSOLETE_REJECTED"]
        state = (await caller.ask("GET", f"{PLAN}/branches/{one}", 200)).json()
        assert state["state"] == "OBSOLETE_REJECTED"
        events = (await caller.ask("GET", f"{PLAN}/events?after=0", 200)).json()["events"]
        types = [each["type"].removeprefix("io.haios.bps.") for each in events]
        assert types[-2:] == ["vc_nullify", "review_rejected"]
        assert events[-2]["data"]["status"] == "OBSOLETE_REJECTED"
        again = await caller.ask("POST", f"{PLAN}/promotions", 409, json={"branches": [one]})
        assert again.json()["code"] == "CLOCK_NULLIFIED"
        assert (await caller.ask("POST", f"{RV}/completion", 201)).json()["version"] == "2"
        await caller.sound()


@asynchronous
async def test_what_validators_say_of_a_decision_is_told_with_it_and_stops_completion() -> None:
    async with calling() as caller:
        locked = BASE + b"_retries_locked: true\n"
        await caller.ask("PUT", PLAN, 201, content=locked, headers=YAML)
        for number, value in ((1, b": 7"), (2, b": 9")):
            await caller.fixed(number, edited(locked, (b": 3", value)))
        await caller.ask("POST", f"{PLAN}/promotions", 409)
        vetoed = (await caller.decide("/retries", text="8")).json()
        assert vetoed["open_total"] == 0
        (finding,) = vetoed["findings"]
        assert (finding["source"], finding["severity"]) == ("locked-fields", "error")
        shown = (await caller.ask("GET", RV, 200)).json()
        assert shown["findings"] == vetoed["findings"]
        refused = (await caller.ask("POST", f"{RV}/completion", 409)).json()
        assert refused["code"] == "MERGE_CONFLICT"
        assert refused["facts"]["findings"] == [finding["message"]]
        assert await caller.canonical() == locked
        free = (await caller.decide("/retries", take="base")).json()
        assert free["findings"] == []
        await caller.sound()


@asynchronous
async def test_a_claim_holds_the_promotions_of_others_until_it_ends_and_no_longer() -> None:
    async with calling() as caller:
        await caller.fighting()
        free = await caller.fixed(3, edited(BASE, (b"carts: open", b"carts: shut")))
        review = ReviewId("EP-1", 1)
        claim = ClaimReview("somebody-else", "hold", review, for_ms=1_500, hold=True)
        await caller.sidecar.execute(claim)
        body = {"branches": [free]}
        held = (await caller.ask("POST", f"{PLAN}/promotions", 409, json=body)).json()
        assert (held["code"], held["facts"]["by"]) == ("REVIEW_HELD", "somebody-else")

        async def over() -> bool:
            review_now = await stored(caller)
            return review_now.claimed_by(caller.sidecar.clock.now_ms()) is None

        await eventually(over, "the claim has ended")
        await caller.ask("POST", f"{PLAN}/promotions", 201, json=body)
        await caller.sound()


@asynchronous
async def test_a_release_ends_the_hold_at_once() -> None:
    async with calling() as caller:
        await caller.fighting()
        free = await caller.fixed(3, edited(BASE, (b"carts: open", b"carts: shut")))
        claim = ClaimReview("somebody-else", "hold", ReviewId("EP-1", 1), hold=True)
        await caller.sidecar.execute(claim)
        body = {"branches": [free]}
        await caller.ask("POST", f"{PLAN}/promotions", 409, json=body)
        assert (await caller.ask("POST", f"{RV}/release", 200)).json()["act"] == "released"
        assert (await stored(caller)).claim is None
        await caller.ask("POST", f"{PLAN}/promotions", 201, json=body)
        await caller.sound()
