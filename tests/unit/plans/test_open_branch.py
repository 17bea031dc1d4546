"""What a report of a root cause does: open, join, link late, reopen, refuse (R2)."""

from __future__ import annotations

import hashlib

import pytest

from bps.core.errors import Ambiguous, ClockNullified, LimitExceeded, NotFound, WrongState
from bps.core.ids import BranchRef, branch_id_of
from bps.core.vector_clock import includes
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch, SubmitBranch
from bps.plans.events import BranchOpened, TraceLinked
from bps.plans.model import State
from bps.plans.results import BranchResult
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene

COLLIDING = ("trace-21038", "trace-170793")
"""Two trace ids whose SHA-1 start with the same nine digits, cf59e2787."""


@asynchronous
async def test_a_new_root_cause_opens_a_branch_on_a_fork_of_canonical() -> None:
    scene = await Scene.make()
    result = await scene.open("T1", "F1")
    assert (result.act, result.n, result.state, result.base_version) == ("opened", 1, "OPEN", 1)
    assert result.branch == hashlib.sha1(b"T1").hexdigest()  # noqa: S324
    assert result.rr_plan == f"EP-1-RR(br{result.branch[:8]})-1"
    rr_plan = (await scene.rr_plans())[result.rr_plan]
    assert rr_plan.base_digest == (await scene.versions())[0].digest
    assert rr_plan.clock == {"canonical": 1, result.branch: 1}
    assert rr_plan.vc_parent == {"canonical": 1}
    assert (rr_plan.plan_type, rr_plan.subtype) == ("REMEDIATION", "REGRESSION_REMEDIATION")
    assert result.receipt is not None
    assert result.receipt.hash == (await scene.head()).hash


@pytest.mark.parametrize("submitted", [False, True])
@asynchronous
async def test_another_trace_of_the_same_cause_joins_the_live_rr_plan(submitted: bool) -> None:
    scene = await Scene.make()
    opened = await scene.open("T1", "F1")
    if submitted:
        await scene.submit(opened, b"v2")
    joined = await scene.open("T2", "F1")
    assert (joined.act, joined.rr_plan) == ("joined", opened.rr_plan)
    branch = (await scene.branches())[opened.branch]
    assert (branch.n, branch.linked, branch.linked_total) == (1, ["T2"], 1)
    assert list(await scene.branches()) == [opened.branch]


@asynchronous
async def test_the_same_trace_and_cause_again_changes_nothing() -> None:
    scene = await Scene.make()
    opened = await scene.open("T1", "F1")
    await scene.open("T2", "F1")
    before = await scene.head()
    for trace in ("T1", "T2"):
        again = await scene.open(trace, "F1")
        assert (again.act, again.rr_plan, again.receipt) == ("unchanged", opened.rr_plan, None)
    assert await scene.head() == before


async def closed_by(scene: Scene, how: str) -> BranchResult:
    """A branch with one RR-plan that was closed in the way named."""
    opened = await scene.open("T1", "F1")
    if how == "failed":
        await scene.fail(opened)
    else:
        await scene.submit(opened, b"v2" if how == "promoted" else b"v1")
        await scene.promote(opened)
    return opened


CLOSINGS = {"failed": "OBSOLETE_FAILED", "promoted": "PROMOTED", "merged": "OBSOLETE_MERGED"}


@pytest.mark.parametrize(("how", "state"), CLOSINGS.items())
@asynchronous
async def test_a_reporter_who_has_not_seen_the_closing_is_a_late_duplicate(
    how: str, state: str
) -> None:
    scene = await Scene.make()
    opened = await closed_by(scene, how)
    closing = (await scene.rr_plans())[opened.rr_plan]
    assert closing.state == state
    actor = "canonical" if how == "promoted" else opened.branch
    stale = {**closing.clock, actor: closing.clock[actor] - 1}
    for trace, clock in (("T2", stale), ("T3", {}), ("T4", {"canonical": 1})):
        late = await scene.open(trace, "F1", clock=clock)
        assert (late.act, late.rr_plan, late.state) == ("linked_late", opened.rr_plan, state)
    branch = (await scene.branches())[opened.branch]
    assert (branch.n, branch.linked) == (1, ["T2", "T3", "T4"])
    assert branch.late_counter == closing.clock[opened.branch] + 3
    assert (await scene.rr_plans())[opened.rr_plan] == closing
    before = await scene.head()
    assert (await scene.open("T2", "F1", clock=stale)).act == "unchanged"
    assert await scene.head() == before


@pytest.mark.parametrize(("how", "state"), CLOSINGS.items())
@pytest.mark.parametrize("knows", ["all", "closing"])
@asynchronous
async def test_a_reporter_who_has_seen_the_closing_opens_the_next_revision(
    how: str, state: str, knows: str
) -> None:
    scene = await Scene.make()
    opened = await closed_by(scene, how)
    closing = (await scene.rr_plans())[opened.rr_plan]
    await scene.open("T2", "F1", clock={})
    again = await scene.open("T1", "F1", clock=None if knows == "all" else dict(closing.clock))
    assert (again.act, again.n, again.branch) == ("opened", 2, opened.branch)
    assert again.rr_plan == opened.rr_plan[:-1] + "2"
    rr_plans = await scene.rr_plans()
    assert rr_plans[opened.rr_plan].state == state
    assert rr_plans[again.rr_plan].clock[opened.branch] == closing.clock[opened.branch] + 2
    assert includes(rr_plans[again.rr_plan].clock, closing.clock)
    body = (await scene.log())[-1][1]
    assert isinstance(body, BranchOpened)
    assert body.opened_by == "regression"


@asynchronous
async def test_the_next_revision_knows_all_that_the_one_before_knew() -> None:
    scene = await Scene.make()
    parent = await scene.open("T1")
    child = await scene.open("T2", parent=parent)
    await scene.fail(child)
    known = (await scene.rr_plans())[child.rr_plan].clock
    again = await scene.open("T2")
    assert parent.branch in known
    assert includes((await scene.rr_plans())[again.rr_plan].clock, known)


@asynchronous
async def test_a_second_cause_under_a_used_trace_gets_an_id_of_trace_and_cause() -> None:
    scene = await Scene.make()
    first = await scene.open("T1", "F1")
    await scene.open("T2", "F1")
    second, third, fourth = [await scene.open(t, f) for t, f in
                             (("T1", "F2"), ("T1", "F3"), ("T2", "F4"))]  # fmt: skip
    assert first.branch == branch_id_of("T1")
    assert second.branch == hashlib.sha1(b"T1\nF2").hexdigest()  # noqa: S324
    assert third.branch == hashlib.sha1(b"T1\nF3").hexdigest()  # noqa: S324
    assert fourth.branch == hashlib.sha1(b"T2\nF4").hexdigest()  # noqa: S324
    assert {r.act for r in (second, third, fourth)} == {"opened"}


@asynchronous
async def test_a_trace_used_in_another_plan_is_not_used_in_this_one() -> None:
    scene = await Scene.make()
    await scene.register(plan="EP-2")
    one, other = await scene.open("T1", "F1"), await scene.open("T1", "F2", plan="EP-2")
    assert one.branch == other.branch == branch_id_of("T1")


@asynchronous
async def test_short_forms_that_collide_are_lengthened() -> None:
    scene = await Scene.make()
    first, second = [await scene.open(trace) for trace in COLLIDING]
    common = "cf59e2787"
    assert first.branch.startswith(common)
    assert second.branch.startswith(common)
    assert first.rr_plan == f"EP-1-RR(br{common[:8]})-1"
    assert second.rr_plan == f"EP-1-RR(br{second.branch[:10]})-1"
    # A short form names the branch that it was given to; one that nobody has is ambiguous.
    for prefix, expected in (
        (common[:8], first),
        (second.branch[:10], second),
        (first.branch[:10], first),
        (first.branch, first),
        (second.branch, second),
    ):
        command = SubmitBranch(
            WHO, scene.op(), PLAN, BranchRef(prefix, None), pack(expected.branch.encode())
        )
        assert (await scene.path.execute(command)).result.branch == expected.branch
    with pytest.raises(Ambiguous) as refusal:
        await scene.path.execute(SubmitBranch(WHO, "x", PLAN, BranchRef(common, None), pack(b"x")))
    assert refusal.value.facts == {"candidates": sorted([first.branch, second.branch])}


@asynchronous
async def test_lengthened_short_forms_stay_when_revisions_are_opened() -> None:
    scene = await Scene.make()
    _, second = [await scene.open(trace) for trace in COLLIDING]
    await scene.fail(second)
    again = await scene.open(COLLIDING[1])
    assert again.rr_plan == second.rr_plan[:-1] + "2"


@asynchronous
async def test_only_the_first_linked_traces_are_kept_by_name_and_all_are_counted() -> None:
    scene = await Scene.make()
    await scene.set_policy(max_linked_traces=2)
    opened = await scene.open("T0", "F1")
    for i in range(1, 5):
        await scene.open(f"T{i}", "F1")
    branch = (await scene.branches())[opened.branch]
    assert (branch.linked, branch.linked_total) == (["T1", "T2"], 4)
    kept = [(e.trace_id, b.keep_name) for e, b in await scene.log() if isinstance(b, TraceLinked)]
    assert kept == [("T1", True), ("T2", True), ("T3", False), ("T4", False)]


@asynchronous
async def test_255_branches_are_the_limit_and_all_of_them_still_work() -> None:
    scene = await Scene.make()
    opened = [await scene.open(f"T{i}") for i in range(255)]
    with pytest.raises(LimitExceeded) as refusal:
        await scene.open("one too many")
    assert refusal.value.facts == {"limit": "max_branches", "value": 256, "allowed": 255}
    # The widest clocks there can be: every branch joins canonical.
    for start in range(0, 255, 24):
        batch = opened[start : start + 24]
        for branch in batch:
            await scene.submit(branch, b"v%d" % start if start else b"v2")
        assert (await scene.promote(*batch)).how == "promotion"
        opened[start + 24 :] = [await scene.rebase(branch) for branch in opened[start + 24 :]]
    assert len((await scene.versions())[-1].clock) == 256
    again = await scene.open("T0")
    assert len((await scene.rr_plans())[again.rr_plan].clock) == 256
    assert (await scene.open("T999", "cause of T0")).act == "joined"


@asynchronous
async def test_a_regression_inside_an_rr_plan_hangs_on_it_and_knows_it() -> None:
    scene = await Scene.make()
    parent = await scene.open("T1")
    child = await scene.open("T2", parent=parent)
    rr_plans = await scene.rr_plans()
    assert rr_plans[child.rr_plan].parent_rr == parent.rr_plan
    assert includes(rr_plans[child.rr_plan].clock, rr_plans[parent.rr_plan].clock)
    assert rr_plans[child.rr_plan].plan == PLAN


@pytest.mark.parametrize(
    ("how", "error"),
    [("failed", ClockNullified), ("merged", ClockNullified), ("promoted", WrongState)],
)
@asynchronous
async def test_nothing_regresses_inside_a_closed_rr_plan(how: str, error: type[Exception]) -> None:
    scene = await Scene.make()
    parent = await closed_by(scene, how)
    with pytest.raises(error):
        await scene.open("T2", parent=parent)


@asynchronous
async def test_nothing_regresses_inside_an_unknown_rr_plan() -> None:
    scene = await Scene.make()
    opened = await scene.open("T1")
    for parent in (BranchRef("f" * 40, 1), BranchRef("0" * 8, None), BranchRef(opened.branch, 2)):
        command = OpenBranch(WHO, scene.op(), PLAN, "T2", "F2", parent_rr=parent)
        with pytest.raises(NotFound):
            await scene.path.execute(command)


@asynchronous
async def test_32_live_descendants_of_one_root_are_the_limit() -> None:
    scene = await Scene.make()
    root = await scene.open("root")
    parent, chain = root, []
    for i in range(32):
        child = await scene.open(f"T{i}", parent=parent)
        chain.append(child)
        # Half of them deep, half of them wide: the limit is the root's, not the parent's.
        parent = child if i < 16 else root
    for under in (root, chain[0], chain[15], chain[31]):
        with pytest.raises(LimitExceeded) as refusal:
            await scene.open("one too many", parent=under)
        assert refusal.value.facts == {"limit": "max_live_descendants", "value": 33, "allowed": 32}
    assert (await scene.open("elsewhere")).act == "opened"
    await scene.fail(chain[31])
    assert (await scene.open("T99", parent=chain[31 - 16])).state is State.OPEN


@asynchronous
async def test_a_plan_that_does_not_exist_has_no_branches() -> None:
    scene = await Scene.make()
    with pytest.raises(NotFound):
        await scene.open("T1", plan="EP-2")
    assert scene.store.writes == 0
