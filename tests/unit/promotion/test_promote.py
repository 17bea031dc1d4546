"""What a promotion of a set of RR-plans does; first-writer-wins never happens (R6, R7)."""

from __future__ import annotations

import pytest

from bps.core.error_catalogue import next_action_of
from bps.core.errors import (
    ClockNullified,
    DigestMismatch,
    LimitExceeded,
    MergeConflict,
    NotFound,
    WrongState,
)
from bps.core.ids import BranchRef
from bps.core.keys import PlanKeys
from bps.core.txn import MAX_OPERATIONS, Delete, Txn
from bps.core.vector_clock import includes, join, order_key, tick
from bps.plans.blob import pack
from bps.plans.events import BlueprintPromoted, VcNullify
from bps.plans.model import State
from bps.promotion.promote import Promote
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene, ref


@asynchronous
async def test_a_promotion_publishes_the_next_version() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    before = (await scene.versions())[0]
    own = (await scene.rr_plans())[branch.rr_plan].clock
    result = await scene.promote(branch)
    assert (result.how, result.version, result.digest) == ("promotion", 2, pack(b"v2").digest)
    assert [(c.rr_plan, c.state) for c in result.contributors] == [(branch.rr_plan, "PROMOTED")]
    assert result.nullified == []
    version = (await scene.versions())[1]
    assert (version.version, version.how, version.published_by) == (2, "promotion", WHO)
    assert version.clock == tick(join(before.clock, own), "canonical")
    (pointer,) = await scene.below(PlanKeys(PLAN).canonical)
    assert pointer.value == version.encode()
    rr_plan = (await scene.rr_plans())[branch.rr_plan]
    assert (rr_plan.state, rr_plan.clock) == ("PROMOTED", version.clock)
    assert rr_plan.closed_ms == version.published_ms
    event, body = (await scene.log())[-1]
    assert isinstance(body, BlueprintPromoted)
    assert (event.actor, event.counter, event.seq) == ("canonical", 2, version.seq)
    assert (body.base_version, body.contributors) == (1, version.contributors)
    assert result.receipt is not None
    assert (result.receipt.seq, result.receipt.hash) == (event.seq, (await scene.head()).hash)


@asynchronous
async def test_a_second_fix_of_the_same_place_waits_for_a_person_and_stays_succeeded() -> None:
    scene = await Scene.make()
    one, two = await scene.succeed("T1", b"v2"), await scene.succeed("T2", b"other")
    await scene.promote(one)
    with pytest.raises(MergeConflict) as refusal:
        await scene.promote(two)
    assert refusal.value.facts["review"] == f"{PLAN}-RV1"
    assert refusal.value.facts["rr_plans"] == [two.rr_plan]
    before = await scene.head()
    assert (await scene.types())[-1] == "REVIEW_OPENED"
    for named in ((two,), ()):
        with pytest.raises(MergeConflict) as refusal:
            await scene.promote(*named)
        assert refusal.value.facts["review"] == f"{PLAN}-RV1"
    assert await scene.head() == before
    assert (await scene.states())[two.rr_plan] == "SUCCEEDED"
    assert (await scene.versions())[-1].digest == pack(b"v2").digest
    rebased = await scene.rebase(two)
    await scene.submit(rebased, b"v2 and other")
    assert (await scene.promote(rebased)).version == 3
    assert (await scene.types())[-1] == "REVIEW_SUPERSEDED"


@asynchronous
async def test_different_fixes_of_one_place_wait_in_one_review_and_stay_succeeded() -> None:
    scene = await Scene.make()
    branches = [await scene.succeed("T1", b"v2"), await scene.succeed("T2", b"other")]
    for promoted in (branches, []):
        with pytest.raises(MergeConflict) as refusal:
            await scene.promote(*promoted)
        named = refusal.value.facts["rr_plans"]
        assert isinstance(named, list)
        assert {branch.rr_plan for branch in branches} == set(map(str, named))
        assert refusal.value.facts["conflicts"] == 1
    assert (await scene.types()).count("REVIEW_OPENED") == 1
    assert len(await scene.versions()) == 1
    assert set((await scene.states()).values()) == {"SUCCEEDED"}


@asynchronous
async def test_identical_fixes_are_promoted_together() -> None:
    scene = await Scene.make()
    branches = [await scene.succeed(f"T{i}", b"v2") for i in range(3)]
    result = await scene.promote()
    assert {c.rr_plan for c in result.contributors} == {b.rr_plan for b in branches}
    assert {c.state for c in result.contributors} == {State.PROMOTED}
    version = (await scene.versions())[1]
    for branch in branches:
        assert includes(version.clock, {branch.branch: 2})
    assert (await scene.types()).count("BLUEPRINT_PROMOTED") == 1
    assert "VC_NULLIFY" not in await scene.types()


@asynchronous
async def test_an_identical_fix_after_the_promotion_is_merged_without_a_version() -> None:
    scene = await Scene.make()
    one, two = await scene.succeed("T1", b"v2"), await scene.succeed("T2", b"v2")
    await scene.promote(one)
    result = await scene.promote(two)
    assert (result.how, result.version, result.contributors) == ("unchanged", 2, [])
    assert [(n.rr_plan, n.status) for n in result.nullified] == [(two.rr_plan, "OBSOLETE_MERGED")]
    assert len(await scene.versions()) == 2
    _, body = (await scene.log())[-1]
    assert isinstance(body, VcNullify)
    assert (await scene.states())[two.rr_plan] == "OBSOLETE_MERGED"


@asynchronous
async def test_a_fix_that_changes_nothing_is_merged_even_on_an_old_base() -> None:
    scene = await Scene.make()
    idle = await scene.succeed("T1", b"v1")
    await scene.promote(await scene.succeed("T2", b"v2"))
    result = await scene.promote(idle)
    assert (result.how, result.version) == ("unchanged", 2)
    assert (await scene.states())[idle.rr_plan] == "OBSOLETE_MERGED"


@asynchronous
async def test_who_changed_nothing_is_merged_beside_who_is_promoted() -> None:
    scene = await Scene.make()
    edit, idle = await scene.succeed("T1", b"v2"), await scene.succeed("T2", b"v1")
    result = await scene.promote()
    assert {c.rr_plan: c.state.value for c in result.contributors} == {
        edit.rr_plan: "PROMOTED",
        idle.rr_plan: "OBSOLETE_MERGED",
    }
    assert [n.rr_plan for n in result.nullified] == [idle.rr_plan]
    assert (await scene.types())[-2:] == ["BLUEPRINT_PROMOTED", "VC_NULLIFY"]
    states = await scene.states()
    assert (states[edit.rr_plan], states[idle.rr_plan]) == ("PROMOTED", "OBSOLETE_MERGED")


@asynchronous
async def test_who_is_not_named_is_untouched() -> None:
    scene = await Scene.make()
    named, same, opened = (
        await scene.succeed("T1", b"v2"),
        await scene.succeed("T2", b"v2"),
        await scene.open("T3"),
    )
    before = await scene.rr_plans()
    await scene.promote(named)
    after = await scene.rr_plans()
    for other in (same, opened):
        assert after[other.rr_plan] == before[other.rr_plan]


@asynchronous
async def test_contributors_are_in_the_total_order() -> None:
    scene = await Scene.make()
    parent = await scene.open("T0")
    branches = [await scene.succeed(f"T{i}", b"v2") for i in range(1, 5)]
    late = await scene.submit(await scene.open("T9", parent=parent), b"v2")
    clocks = {name: rr.clock for name, rr in (await scene.rr_plans()).items()}
    result = await scene.promote(late, *branches)
    order = [(order_key(clocks[c.rr_plan], c.branch)) for c in result.contributors]
    assert order == sorted(order)
    assert result.contributors[-1].rr_plan == late.rr_plan


@asynchronous
async def test_the_order_in_which_branches_are_named_does_not_matter() -> None:
    results = []
    for turned in (False, True):
        scene = await Scene.make()
        branches = [await scene.succeed(f"T{i}", b"v2") for i in range(4)]
        named = branches[::-1] if turned else branches
        results.append((await scene.promote(*named, named[0])).contributors)
    assert results[0] == results[1]


@asynchronous
async def test_24_contributors_fit_and_25_named_are_refused() -> None:
    scene = await Scene.make()
    branches = [await scene.succeed(f"T{i}", b"v1") for i in range(24)]
    branches.append(await scene.succeed("T24", b"v2"))
    before = await scene.head()
    with pytest.raises(LimitExceeded) as refusal:
        await scene.promote(*branches)
    assert refusal.value.facts == {"limit": "max_contributors", "value": 25, "allowed": 24}
    assert await scene.head() == before
    # 23 merged and one promoted write the most that a promotion can write.
    result = await scene.promote(*branches[1:])
    assert (len(result.contributors), len(result.nullified)) == (24, 23)
    assert len(scene.store.txns[-1].operations) <= MAX_OPERATIONS
    assert (await scene.states())[branches[0].rr_plan] == "SUCCEEDED"


@asynchronous
async def test_without_names_24_are_promoted_and_the_rest_joins_the_next() -> None:
    scene = await Scene.make()
    for i in range(30):
        await scene.succeed(f"T{i}", b"v2")
    assert len((await scene.promote()).contributors) == 24
    second = await scene.promote()
    assert (second.how, len(second.nullified)) == ("unchanged", 6)
    assert set((await scene.states()).values()) == {"PROMOTED", "OBSOLETE_MERGED"}


@pytest.mark.parametrize("named", [25, 61, 62, 100, 255])
@asynchronous
async def test_any_number_of_names_over_the_limit_is_refused_by_name(named: int) -> None:
    scene = await Scene.make()
    branches = [await scene.succeed(f"T{i}", b"v2") for i in range(named)]
    refs = tuple(BranchRef(branch.branch[:12], None) for branch in branches)
    for path in (scene.path, scene.cold()):
        with pytest.raises(LimitExceeded):
            await path.execute(Promote(WHO, "many", PLAN, refs))


@asynchronous
async def test_a_policy_can_lower_the_number_of_contributors() -> None:
    scene = await Scene.make()
    await scene.set_policy(max_contributors=2)
    branches = [await scene.succeed(f"T{i}", b"v2") for i in range(3)]
    with pytest.raises(LimitExceeded):
        await scene.promote(*branches)
    assert len((await scene.promote()).contributors) == 2


@pytest.mark.parametrize("state", ["OPEN", "PROMOTED"])
@asynchronous
async def test_only_what_succeeded_is_promoted(state: str) -> None:
    scene = await Scene.make()
    branch = await scene.open("T1")
    if state == "PROMOTED":
        await scene.submit(branch, b"v2")
        await scene.promote(branch)
    for refs in ((branch,), (branch, await scene.succeed("T2", b"v3"))):
        with pytest.raises(WrongState) as refusal:
            await scene.promote(*refs)
        assert refusal.value.facts == {"rr_plan": branch.rr_plan, "state": state}
        said = "submit" if state == "OPEN" else f"bps branch list {PLAN}"
        assert said in next_action_of(refusal.value)


@asynchronous
async def test_nothing_that_succeeded_is_nothing_to_promote() -> None:
    scene = await Scene.make()
    await scene.open("T1")
    with pytest.raises(WrongState) as refusal:
        await scene.promote()
    assert refusal.value.facts == {"plan": PLAN}
    assert f"bps branch list {PLAN}" in next_action_of(refusal.value)


@asynchronous
async def test_a_closed_revision_that_is_named_beside_the_live_one_is_not_passed_over() -> None:
    scene = await Scene.make()
    first = await scene.succeed("T1", b"v2")
    await scene.promote(first)
    second = await scene.submit(await scene.open("T1"), b"v3")
    assert second.n == 2
    for refs in ((first, second), (second, first)):
        with pytest.raises(WrongState):
            await scene.promote(*refs)
    await scene.fail(second)
    third = await scene.submit(await scene.open("T1"), b"v3")
    for refs in ((second, third), (third, second)):
        with pytest.raises(ClockNullified):
            await scene.promote(*refs)
    assert (await scene.promote(third)).version == 3


@asynchronous
async def test_unknown_branches_and_plans_are_not_found() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    for command in (
        Promote(WHO, "a", PLAN, (BranchRef("0" * 8, None),)),
        Promote(WHO, "b", PLAN, (BranchRef("0" * 40, None),)),
        Promote(WHO, "c", PLAN, (BranchRef(branch.branch, 2),)),
        Promote(WHO, "d", "EP-2", (ref(branch),)),
        Promote(WHO, "e", "EP-2"),
    ):
        for path in (scene.path, scene.cold()):
            with pytest.raises(NotFound):
                await path.execute(command)


@asynchronous
async def test_a_blueprint_that_is_gone_is_not_published() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    key = PlanKeys(PLAN).blob(pack(b"v2").digest)
    await scene.memory.commit(Txn((), (Delete(key),)))
    for path in (scene.path, scene.cold()):
        with pytest.raises(DigestMismatch) as refusal:
            await path.execute(Promote(WHO, "p", PLAN, (ref(branch),)))
        assert refusal.value.facts == {"key": key.decode()}
    assert len(await scene.versions()) == 1


@asynchronous
async def test_a_fork_of_content_that_is_canonical_again_is_not_stale() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"from v1")
    await scene.promote(await scene.succeed("T2", b"v2"))
    await scene.revert(1)
    result = await scene.promote(branch)
    assert (result.how, result.version) == ("promotion", 4)


@asynchronous
async def test_a_revert_is_a_new_version_with_the_old_content() -> None:
    scene = await Scene.make()
    await scene.promote(await scene.succeed("T1", b"v2"))
    waiting = await scene.succeed("T2", b"v3")
    result = await scene.revert(1)
    assert (result.how, result.version, result.digest) == ("revert", 3, pack(b"v1").digest)
    versions = await scene.versions()
    assert [v.digest for v in versions] == [pack(c).digest for c in (b"v1", b"v2", b"v1")]
    assert (versions[2].how, versions[2].reverted_to, versions[2].reason) == ("revert", 1, "why")
    assert versions[2].clock == tick(versions[1].clock, "canonical")
    assert (await scene.states())[waiting.rr_plan] == "SUCCEEDED"
    await scene.refused(waiting)


@asynchronous
async def test_reverting_to_the_content_that_is_canonical_changes_nothing() -> None:
    scene = await Scene.make()
    await scene.promote(await scene.succeed("T1", b"v2"))
    await scene.revert(1)
    before = await scene.head()
    for to in (1, 3):
        result = await scene.revert(to)
        assert (result.how, result.version, result.receipt) == ("unchanged", 3, None)
    assert await scene.head() == before


@pytest.mark.parametrize("to", [0, -1, 2, 10**19, 10**30])
@asynchronous
async def test_a_version_that_never_was_cannot_be_reverted_to(to: int) -> None:
    scene = await Scene.make()
    with pytest.raises(NotFound):
        await scene.revert(to)
    assert scene.store.writes == 0
