"""Several fixes become one blueprint; nobody overwrites anybody, whoever came first (R7)."""

from __future__ import annotations

from itertools import permutations

import pytest

from bps.core.errors import DigestMismatch, LimitExceeded, MergeConflict
from bps.core.keys import PlanKeys
from bps.core.txn import Exists, Put, Txn
from bps.plans.blob import pack
from bps.plans.events import BlueprintPromoted
from bps.plans.model import State
from bps.plans.results import BranchResult
from bps.promotion.promote import Promote
from bps.writepath.preview import decide_only
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene, ref
from tests.edited import edited

BASE = b"""# checkout
title: checkout
retries: 3
timeout_ms: 900 # of the gateway
carts: open
tasks:
  - id: charge
    sla: 10
  - id: refund
    sla: 20
"""


RETRIES = edited(BASE, (b"retries: 3", b"retries: 5"))
TIMEOUT = edited(BASE, (b"timeout_ms: 900", b"timeout_ms: 1800"))
CARTS = edited(BASE, (b"carts: open", b"carts: read-only"))
ALL = edited(CARTS, (b"timeout_ms: 900", b"timeout_ms: 1800"), (b"retries: 3", b"retries: 5"))


@asynchronous
async def test_three_fixes_are_merged_and_published_in_one_transaction() -> None:
    scene = await Scene.make(content=BASE)
    branches = [
        await scene.succeed(f"T{i}", fix) for i, fix in enumerate((RETRIES, TIMEOUT, CARTS))
    ]
    scene.store.reset()
    result = await scene.promote()
    assert (result.how, result.version, result.review) == ("promotion", 2, None)
    assert await scene.canonical() == ALL
    assert scene.store.writes == 1
    assert {c.rr_plan for c in result.contributors} == {b.rr_plan for b in branches}
    assert {c.state for c in result.contributors} == {State.OBSOLETE_MERGED}
    assert set((await scene.states()).values()) == {"OBSOLETE_MERGED"}
    body = next(b for _, b in await scene.log() if isinstance(b, BlueprintPromoted))
    assert body.merge is not None
    assert body.merge.bases == [pack(BASE).digest] * 3
    assert body.merge.canonical_digest == pack(BASE).digest
    await scene.proven()


@asynchronous
async def test_who_comes_later_is_merged_against_the_moved_canonical() -> None:
    scene = await Scene.make(content=BASE)
    one, two = await scene.succeed("T1", RETRIES), await scene.succeed("T2", TIMEOUT)
    assert (await scene.promote(one)).version == 2
    result = await scene.promote(two)
    assert (result.how, result.version) == ("promotion", 3)
    both = edited(RETRIES, (b"timeout_ms: 900", b"timeout_ms: 1800"))
    assert await scene.canonical() == both
    assert (await scene.states())[two.rr_plan] == "OBSOLETE_MERGED"
    await scene.proven()


@asynchronous
async def test_the_same_set_gives_the_same_bytes_in_whatever_order_it_arrives() -> None:
    fixes = {
        "T1": RETRIES,
        "T2": TIMEOUT,
        "T3": edited(BASE, (b"    sla: 20\n", b"    sla: 20\nlast: 1\n")),
    }
    seen = set()
    for order in permutations(fixes):
        scene = await Scene.make(content=BASE)
        for trace in order:
            await scene.succeed(trace, fixes[trace])
        await scene.promote()
        seen.add(await scene.canonical())
    assert len(seen) == 1


@asynchronous
async def test_a_merge_that_equals_a_submission_promotes_it() -> None:
    scene = await Scene.make(content=BASE)
    await scene.promote(await scene.succeed("T0", CARTS))
    part, whole = await scene.open("T1"), await scene.succeed("T2", ALL)
    await scene.submit(part, edited(CARTS, (b"retries: 3", b"retries: 5")))
    result = await scene.promote()
    states = {c.rr_plan: c.state.value for c in result.contributors}
    assert states == {part.rr_plan: "OBSOLETE_MERGED", whole.rr_plan: "PROMOTED"}
    assert [n.rr_plan for n in result.nullified] == [part.rr_plan]
    assert any(isinstance(each, Exists) for each in scene.store.txns[-1].compares)
    await scene.proven()


@asynchronous
async def test_a_fix_that_canonical_has_already_makes_no_version() -> None:
    scene = await Scene.make(content=BASE)
    late = await scene.succeed("T1", RETRIES)
    both = edited(RETRIES, (b"timeout_ms: 900", b"timeout_ms: 1800"))
    await scene.promote(await scene.succeed("T2", both))
    result = await scene.promote(late)
    assert (result.how, result.version) == ("unchanged", 2)
    assert [(n.rr_plan, n.status) for n in result.nullified] == [(late.rr_plan, "OBSOLETE_MERGED")]
    await scene.proven()


async def conflicting(scene: Scene) -> list[BranchResult]:
    """Two fixes of one place."""
    return [
        await scene.succeed("C1", edited(BASE, (b"retries: 3", b"retries: 7"))),
        await scene.succeed("C2", edited(BASE, (b"retries: 3", b"retries: 9"))),
    ]


@asynchronous
async def test_those_in_conflict_wait_and_do_not_keep_the_others_from_being_published() -> None:
    scene = await Scene.make(content=BASE)
    fighting = await conflicting(scene)
    free = [await scene.succeed("T2", TIMEOUT), await scene.succeed("T3", CARTS)]
    result = await scene.promote()
    assert (result.how, result.version, result.review) == ("promotion", 2, f"{PLAN}-RV1")
    assert {c.rr_plan for c in result.contributors} == {b.rr_plan for b in free}
    assert set(result.in_review) == {b.rr_plan for b in fighting}
    assert result.conflicts == 1
    assert await scene.canonical() == edited(CARTS, (b"timeout_ms: 900", b"timeout_ms: 1800"))
    states = await scene.states()
    assert {states[b.rr_plan] for b in fighting} == {"SUCCEEDED"}
    assert await scene.types() == [*(await scene.types())[:-1], "REVIEW_OPENED"]
    later = await scene.succeed(
        "T4", edited(await scene.canonical(), (b"carts: read-only", b"carts: shut"))
    )
    assert (await scene.promote()).contributors[0].rr_plan == later.rr_plan
    await scene.proven()


@asynchronous
async def test_named_rr_plans_are_published_all_or_none() -> None:
    scene = await Scene.make(content=BASE)
    fighting = await conflicting(scene)
    free = await scene.succeed("T2", TIMEOUT)
    with pytest.raises(MergeConflict) as refusal:
        await scene.promote(free, *fighting)
    named = refusal.value.facts["rr_plans"]
    assert isinstance(named, list)
    assert set(named) == {b.rr_plan for b in (free, *fighting)}
    assert len(await scene.versions()) == 1
    await scene.proven()


@asynchronous
async def test_a_conflict_is_answered_the_same_when_it_is_asked_again() -> None:
    scene = await Scene.make(content=BASE)
    fighting = await conflicting(scene)
    command = Promote(WHO, "again", PLAN, tuple(map(ref, fighting)))
    answers = []
    for path in (scene.path, scene.path, scene.cold()):
        with pytest.raises(MergeConflict) as refusal:
            await path.execute(command)
        answers.append((refusal.value.message, refusal.value.facts))
    assert answers[0] == answers[1] == answers[2]
    assert (await scene.types()).count("REVIEW_OPENED") == 1


@asynchronous
async def test_a_dry_run_in_conflict_names_no_review_as_if_it_were_there() -> None:
    scene = await Scene.make(content=BASE)
    await conflicting(scene)
    command = Promote(WHO, "dry", PLAN, ())
    with pytest.raises(MergeConflict) as tried:
        await decide_only(scene.memory, scene.clock, command)
    assert tried.value.message == (
        f"2 RR-plans would wait in {PLAN}-RV1 for a person to decide 1 conflict."
    )
    assert (tried.value.next_action or "").startswith("A dry run writes no review: ")
    assert "REVIEW_OPENED" not in await scene.types()
    with pytest.raises(MergeConflict) as told:
        await scene.path.execute(command)
    assert told.value.facts == tried.value.facts
    with pytest.raises(MergeConflict) as again:
        await decide_only(scene.memory, scene.clock, command)
    assert (again.value.message, again.value.next_action) == (
        told.value.message,
        told.value.next_action,
    )


@asynchronous
async def test_24_that_wait_for_a_person_do_not_keep_the_25th_from_its_turn() -> None:
    scene = await Scene.make(content=BASE)
    await scene.set_policy(validators=[], max_contributors=3)
    for i in range(3):
        await scene.succeed(f"C{i}", edited(BASE, (b"retries: 3", b"retries: %d" % (10 + i))))
    await scene.refused()
    free = await scene.succeed("T9", TIMEOUT)
    result = await scene.promote()
    assert [c.rr_plan for c in result.contributors] == [free.rr_plan]
    await scene.proven()


@asynchronous
async def test_a_merged_blueprint_over_the_limit_is_refused_by_name() -> None:
    scene = await Scene.make(content=BASE)
    one = await scene.succeed("T1", BASE + b"one: %s\n" % (b"a" * 300))
    two = await scene.succeed("T2", edited(BASE, (b"# checkout\n", b"zero: %s\n" % (b"b" * 300))))
    await scene.set_policy(validators=[], max_blueprint_bytes=600)
    with pytest.raises(LimitExceeded) as refusal:
        await scene.promote(one, two)
    assert refusal.value.facts["limit"] == "max_blueprint_bytes"
    assert len(await scene.versions()) == 1


@asynchronous
async def test_a_real_merge_reads_its_blobs_once_and_law_1_reads_none() -> None:
    scene = await Scene.make(content=BASE)
    one, two = await scene.succeed("T1", RETRIES), await scene.succeed("T2", TIMEOUT)
    same = await scene.succeed("T3", TIMEOUT)
    scene.store.reset()
    await scene.promote(two, same)
    assert scene.store.calls == ["commit"]
    scene.store.reset()
    # This process wrote them, so that it need not read them.
    await scene.promote(one)
    assert scene.store.calls == ["commit"]


@asynchronous
async def test_a_real_merge_reads_what_another_process_wrote_once() -> None:
    scene = await Scene.make(content=BASE)
    one, two = await scene.succeed("T1", RETRIES), await scene.succeed("T2", TIMEOUT)
    scene.store.reset()
    path = scene.cold()
    await path.execute(Promote(WHO, "a", PLAN, (ref(one), ref(two))))
    # The plan, its blobs, the transaction.
    assert scene.store.calls == ["snapshot", "snapshot", "commit"]


@asynchronous
async def test_a_plan_that_moves_during_the_merge_is_merged_anew() -> None:
    scene = await Scene.make(content=BASE)
    one, two = await scene.succeed("T1", RETRIES), await scene.succeed("T2", TIMEOUT)
    three = await scene.succeed("T3", CARTS)
    await scene.cold().execute(Promote(WHO, "first", PLAN, (ref(three),)))
    result = await scene.promote(one, two)
    assert result.version == 3
    assert await scene.canonical() == ALL
    await scene.proven()


@asynchronous
async def test_strategies_of_the_policy_decide() -> None:
    content = b"title: x\nversion: 1.2.0\n"
    scene = await Scene.make(content=content)
    for trace, version in (("T1", b"1.3.0"), ("T2", b"1.10.0")):
        await scene.succeed(trace, edited(content, (b"1.2.0", version)))
    await scene.refused()
    await scene.set_policy(validators=[], merge={"/version": "max: semver"})
    assert (await scene.promote()).version == 2
    assert await scene.canonical() == b"title: x\nversion: 1.10.0\n"
    assert (await scene.types())[-1] == "REVIEW_COMPLETED"
    await scene.proven()


@asynchronous
async def test_a_damaged_blob_that_was_repaired_is_read_again() -> None:
    scene = await Scene.make(content=BASE)
    await scene.succeed("T1", RETRIES)
    await scene.succeed("T2", TIMEOUT)
    blob = pack(RETRIES)
    key = PlanKeys(PLAN).blob(blob.digest)
    cold = scene.cold()
    await scene.memory.commit(Txn((), (Put(key, pack(TIMEOUT).frame),)))
    with pytest.raises(DigestMismatch) as refusal:
        await cold.execute(Promote(WHO, "p", PLAN))
    assert refusal.value.facts["digest"] == blob.digest
    await scene.memory.commit(Txn((), (Put(key, blob.frame),)))
    assert (await cold.execute(Promote(WHO, "p", PLAN))).result.version == 2
    await scene.proven()
