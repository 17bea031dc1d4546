"""Submitting, failing and rebasing RR-plans, and what VC_NULLIFY ends (R6, R11)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bps.core.errors import ClockNullified, LimitExceeded, NotFound, WrongState
from bps.core.keys import PlanKeys
from bps.core.txn import MAX_OPERATIONS, MAX_REQUEST_BYTES, Put, Txn
from bps.core.vector_clock import includes
from bps.plans.blob import pack, unpack
from bps.plans.branches import OpenBranch
from bps.plans.events import VcNullify
from bps.plans.model import RRPlan
from bps.plans.results import BranchResult
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene, ref


@asynchronous
async def test_a_submission_is_kept_as_a_blob_named_by_its_digest() -> None:
    scene = await Scene.make()
    submitted = await scene.succeed("T1", b"v2")
    assert (submitted.act, submitted.state) == ("submitted", "SUCCEEDED")
    assert submitted.digest == pack(b"v2").digest
    blobs = PlanKeys(PLAN).blobs
    stored = {kv.key.removeprefix(blobs).decode(): kv.value for kv in await scene.below(blobs)}
    assert set(stored) == {pack(b"v1").digest, pack(b"v2").digest}
    assert unpack(stored[pack(b"v2").digest], pack(b"v2").digest) == b"v2"


@asynchronous
async def test_the_very_same_submission_again_changes_nothing() -> None:
    scene = await Scene.make()
    submitted = await scene.succeed("T1", b"v2")
    before = await scene.head()
    again = await scene.submit(submitted, b"v2")
    assert (again.act, again.receipt) == ("unchanged", None)
    assert await scene.head() == before
    with pytest.raises(WrongState):
        await scene.submit(submitted, b"other")


@asynchronous
async def test_the_cap_of_a_blueprint_is_inclusive() -> None:
    scene = await Scene.make()
    await scene.set_policy(max_blueprint_bytes=10)
    branch = await scene.open("T1")
    with pytest.raises(LimitExceeded):
        await scene.submit(branch, b"x" * 11)
    assert (await scene.submit(branch, b"x" * 10)).state == "SUCCEEDED"
    with pytest.raises(LimitExceeded):
        await scene.register(b"x" * 11, plan="EP-2")
    assert (await scene.register(b"x" * 10, plan="EP-2")).version == 1


@asynchronous
async def test_a_failed_rr_plan_is_nullified_and_followed_by_the_next() -> None:
    scene = await Scene.make()
    opened = await scene.open("T1")
    failed = await scene.fail(opened, "no way")
    assert (failed.act, failed.state) == ("failed", "OBSOLETE_FAILED")
    assert [each.rr_plan for each in failed.nullified] == [opened.rr_plan]
    event, body = (await scene.log())[-1]
    assert isinstance(body, VcNullify)
    assert (body.rr_plan, body.status, body.reason) == (opened.rr_plan, "OBSOLETE_FAILED", "no way")
    assert event.counter == body.last_counter + 1 == 2
    assert (event.branch, event.rr) == (opened.branch, 1)
    again = await scene.open("T1")
    assert again.n == 2


Act = Callable[[Scene, BranchResult], Awaitable[object]]
ACTS: dict[str, Act] = {
    "submit": lambda scene, branch: scene.submit(branch, b"new"),
    "fail": lambda scene, branch: scene.fail(branch),
    "rebase": lambda scene, branch: scene.rebase(branch),
    "promote": lambda scene, branch: scene.promote(branch),
    "open a regression": lambda scene, branch: scene.open("T9", parent=branch),
}


async def _closed(scene: Scene, how: str) -> BranchResult:
    opened = await scene.open("T1")
    if how == "failed":
        await scene.fail(opened)
    elif how == "nullified":
        opened = await scene.open("T2", parent=opened)
        await scene.fail(await scene.open("T1", "cause of T1"))
    elif how == "merged":
        await scene.submit(opened, b"v1")
        await scene.promote(opened)
    elif how == "superseded":
        await scene.promote(await scene.succeed("T2", b"v2"))
        await scene.rebase(opened)
    else:
        await scene.submit(opened, b"v2")
        await scene.promote(opened)
    return opened


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("how", ["failed", "nullified", "merged", "superseded"])
@asynchronous
async def test_no_later_event_of_a_nullified_rr_plan_is_accepted(how: str, act: str) -> None:
    scene = await Scene.make()
    branch = await _closed(scene, how)
    state = (await scene.states())[branch.rr_plan]
    assert state == f"OBSOLETE_{how.upper()}"
    before = await scene.head()
    with pytest.raises(ClockNullified) as refusal:
        await ACTS[act](scene, branch)
    assert refusal.value.facts == {"rr_plan": branch.rr_plan, "state": state}
    assert await scene.head() == before


@pytest.mark.parametrize("act", ACTS)
@asynchronous
async def test_a_promoted_rr_plan_is_done_but_not_nullified(act: str) -> None:
    scene = await Scene.make()
    branch = await _closed(scene, "promoted")
    with pytest.raises(WrongState) as refusal:
        await ACTS[act](scene, branch)
    assert refusal.value.facts["state"] == "PROMOTED"
    assert "VC_NULLIFY" not in await scene.types()


@pytest.mark.parametrize("act", ACTS)
@asynchronous
async def test_an_rr_plan_that_never_was_is_not_found(act: str) -> None:
    scene = await Scene.make()
    branch = await scene.open("T1")
    for missing in (
        branch.model_copy(update={"n": 2}),
        branch.model_copy(update={"branch": "0" * 40}),
    ):
        with pytest.raises(NotFound):
            await ACTS[act](scene, missing)


async def _family(scene: Scene) -> tuple[BranchResult, list[BranchResult]]:
    """A root with a child, a grandchild and another child; and a stranger."""
    root = await scene.open("root")
    child = await scene.open("child", parent=root)
    grandchild = await scene.open("grandchild", parent=child)
    other = await scene.open("other", parent=root)
    await scene.open("stranger")
    await scene.submit(grandchild, b"v9")
    return root, [child, grandchild, other]


@asynchronous
async def test_a_failure_nullifies_all_live_descendants_and_nobody_else() -> None:
    scene = await Scene.make()
    root, below = await _family(scene)
    gone = await scene.open("gone", parent=root)
    await scene.fail(gone)
    failed = await scene.fail(root)
    assert {each.rr_plan: each.status for each in failed.nullified} == {
        root.rr_plan: "OBSOLETE_FAILED",
        **{each.rr_plan: "OBSOLETE_NULLIFIED" for each in below},
    }
    states = await scene.states()
    assert states.pop(root.rr_plan) == states.pop(gone.rr_plan) == "OBSOLETE_FAILED"
    assert [states.pop(each.rr_plan) for each in below] == ["OBSOLETE_NULLIFIED"] * 3
    assert list(states.values()) == ["OPEN"]


@asynchronous
async def test_a_failure_inside_does_not_reach_up_or_aside() -> None:
    scene = await Scene.make()
    root, (child, grandchild, other) = await _family(scene)
    await scene.fail(child)
    states = await scene.states()
    assert states[child.rr_plan] == "OBSOLETE_FAILED"
    assert states[grandchild.rr_plan] == "OBSOLETE_NULLIFIED"
    assert states[root.rr_plan] == states[other.rr_plan] == "OPEN"


@pytest.mark.parametrize("how", ["superseded", "merged", "promoted"])
@asynchronous
async def test_descendants_of_a_superseded_merged_or_promoted_rr_plan_live_on(how: str) -> None:
    scene = await Scene.make()
    root, below = await _family(scene)
    if how == "superseded":
        await scene.promote(await scene.succeed("T9", b"v2"))
        assert (await scene.rebase(root)).n == 2
    else:
        await scene.submit(root, b"v1" if how == "merged" else b"v2")
        await scene.promote(root)
    states = await scene.states()
    assert states[root.rr_plan] in {"OBSOLETE_SUPERSEDED", "OBSOLETE_MERGED", "PROMOTED"}
    assert [states[each.rr_plan] for each in below] == ["OPEN", "SUCCEEDED", "OPEN"]


@asynchronous
async def test_a_failure_with_32_descendants_and_the_widest_clocks_fits_one_transaction() -> None:
    scene = await Scene.make()
    root = await scene.path.execute(_long_report("root", None))
    below = [
        (await scene.path.execute(_long_report(f"child {i}", root.result))).result
        for i in range(32)
    ]
    await _widen_clocks(scene, [root.result, *below])
    failed = await scene.fail(root.result, "\U0001f4a5" * 2_000)
    assert len(failed.nullified) == 33
    txn = scene.store.txns[-1]
    assert len(txn.operations) <= MAX_OPERATIONS
    assert 500_000 < txn.size_bytes <= MAX_REQUEST_BYTES


def _long_report(trace: str, parent: BranchResult | None) -> OpenBranch:
    """With the longest texts that the edges let through."""
    return OpenBranch(
        WHO,
        f"open {trace}".replace(" ", "-"),
        PLAN,
        trace,
        "\U0001f4a5" * 190 + trace,
        "\U0001f4a5" * 2_000,
        parent_rr=ref(parent) if parent else None,
    )


async def _widen_clocks(scene: Scene, branches: list[BranchResult]) -> None:
    """Give stored RR-plans clocks of 256 entries, as after many promotions of a full plan."""
    for branch in branches:
        key = PlanKeys(PLAN).rr_plan(branch.branch, branch.n)
        (stored,) = await scene.below(key)
        rr_plan = RRPlan.decode(stored.value)
        others = [f"{i:040x}" for i in range(256 - len(rr_plan.clock))]
        wide = {**rr_plan.clock, **dict.fromkeys(others, 10**9)}
        update = {"clock": wide, "vc_parent": {**dict.fromkeys(others, 10**9), "canonical": 1}}
        widened = rr_plan.model_copy(update=update)
        await scene.memory.commit(Txn((), (Put(key, widened.encode()),)))
    scene.path = scene.cold()


@asynchronous
async def test_rebasing_opens_the_next_revision_on_the_moved_canonical() -> None:
    scene = await Scene.make()
    late = await scene.succeed("T1", b"late")
    await scene.promote(await scene.succeed("T2", b"v2"))
    rebased = await scene.rebase(late)
    assert (rebased.act, rebased.n, rebased.state, rebased.base_version) == (
        "rebased",
        2,
        "OPEN",
        2,
    )
    assert [(e.rr_plan, e.status) for e in rebased.nullified] == [
        (late.rr_plan, "OBSOLETE_SUPERSEDED")
    ]
    assert (await scene.types())[-2:] == ["VC_NULLIFY", "BRANCH_OPENED"]
    rr_plans = await scene.rr_plans()
    new, old = rr_plans[rebased.rr_plan], rr_plans[late.rr_plan]
    assert (new.opened_by, new.base_digest) == ("rebase", (await scene.versions())[-1].digest)
    assert includes(new.clock, old.clock)
    assert includes(new.clock, (await scene.versions())[-1].clock)
    assert new.clock[late.branch] == old.clock[late.branch] + 1
    assert old.digest == late.digest, "what was superseded keeps its submission"


@asynchronous
async def test_rebasing_on_the_base_that_is_canonical_still_changes_nothing() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"late")
    before = await scene.head()
    assert (await scene.rebase(branch)).act == "unchanged"
    assert await scene.head() == before


@asynchronous
async def test_rebasing_keeps_the_parent() -> None:
    scene = await Scene.make()
    parent = await scene.open("T1")
    child = await scene.open("T2", parent=parent)
    await scene.promote(await scene.succeed("T3", b"v2"))
    rebased = await scene.rebase(child)
    assert (await scene.rr_plans())[rebased.rr_plan].parent_rr == parent.rr_plan
    await scene.fail(parent)
    assert (await scene.states())[rebased.rr_plan] == "OBSOLETE_NULLIFIED"
