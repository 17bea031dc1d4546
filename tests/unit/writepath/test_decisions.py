"""When a decision may be sent, and what happens where many are made at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from bps.core import keys
from bps.core.errors import Contended, Exists, IdempotencyKeyReused, MergeConflict
from bps.core.ports import Key, Read
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch
from bps.plans.model import Head
from bps.plans.register import RegisterPlan
from bps.plans.results import BranchResult
from bps.promotion.promote import Promote
from bps.promotion.revert import Revert
from bps.setup.initialise import Initialise
from bps.writepath.command import Decision, OperationId
from bps.writepath.execution import MAX_DECISION_AGE_S
from bps.writepath.preview import decide_only
from bps.writepath.view import NotRead, View
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, ManualClock, Scene, ref
from tests.doubles.faulty_store import Fault


@dataclass
class Slow:
    """A command whose first decisions take as long as told."""

    command: OpenBranch
    clock: ManualClock
    delays_s: list[float]
    decided_ms: list[int] = field(default_factory=list)

    result_type = BranchResult

    @property
    def plan(self) -> str:
        return self.command.plan

    @property
    def operation(self) -> OperationId:
        return self.command.operation

    def reads(self) -> Sequence[Read]:
        return self.command.reads()

    def decide(self, view: View, now_ms: int) -> Decision[BranchResult]:
        self.decided_ms.append(now_ms)
        if self.delays_s:
            self.clock.move(self.delays_s.pop(0))
        return self.command.decide(view, now_ms)


async def warm_scene() -> Scene:
    """One whose write path knows the branches of the plan."""
    scene = await Scene.make()
    await scene.open("T0")
    scene.store.reset()
    return scene


def opening(op_id: str, trace: str = "T1", plan: str = PLAN) -> OpenBranch:
    return OpenBranch(WHO, op_id, plan, trace, f"cause of {trace}")


@asynchronous
async def test_a_decision_older_than_half_a_second_is_made_again() -> None:
    scene = await warm_scene()
    slow = Slow(opening("slow"), scene.clock, [MAX_DECISION_AGE_S + 0.1, MAX_DECISION_AGE_S + 0.1])
    await scene.path.execute(slow)
    assert len(slow.decided_ms) == 3
    event, _ = (await scene.log())[-1]
    assert event.time_ms == slow.decided_ms[-1] == slow.decided_ms[0] + 1_200
    assert scene.store.calls == ["commit"]


@asynchronous
async def test_a_decision_of_half_a_second_is_sent() -> None:
    scene = await warm_scene()
    slow = Slow(opening("slow"), scene.clock, [MAX_DECISION_AGE_S])
    await scene.path.execute(slow)
    assert len(slow.decided_ms) == 1


@asynchronous
async def test_a_decision_that_is_always_too_old_ends_at_the_deadline() -> None:
    scene = await Scene.make()
    slow = Slow(opening("slow"), scene.clock, [1.0] * 1_000)
    with pytest.raises(Contended):
        await scene.path.execute(slow)
    assert len(slow.decided_ms) == 5
    assert scene.store.writes == 0


@asynchronous
async def test_the_time_of_a_plan_never_goes_back() -> None:
    scene = await Scene.make()
    before = await scene.head()
    scene.clock.set_wall(-3_600_000)
    await scene.open("T1")
    scene.clock.set_wall(7_200_000)
    await scene.open("T2")
    times = [event.time_ms for event, _ in await scene.log()]
    assert times == [before.time_ms, before.time_ms, before.time_ms + 3_600_000]


@asynchronous
async def test_many_commands_on_one_plan_all_commit_once() -> None:
    scene = await warm_scene()
    commands = [opening(f"o{i}", f"T1{i}") for i in range(40)]
    outcomes = await asyncio.gather(*(scene.path.execute(command) for command in commands))
    assert {outcome.how for outcome in outcomes} == {"committed"}
    assert [event.op for event, _ in (await scene.log())[2:]] == [f"{WHO}/o{i}" for i in range(40)]
    assert scene.store.writes == 40
    assert scene.store.round_trips == 40


@asynchronous
async def test_two_write_paths_on_one_plan_all_commit_once() -> None:
    scene = await Scene.make()
    paths = [scene.cold(), scene.cold(), scene.cold()]
    outcomes = await asyncio.gather(
        *(paths[i % 3].execute(opening(f"o{i}", f"T{i}")) for i in range(30))
    )
    assert {outcome.how for outcome in outcomes} == {"committed"}
    log = await scene.log()
    assert sorted(event.op for event, _ in log[1:]) == sorted(f"{WHO}/o{i}" for i in range(30))
    assert [event.seq for event, _ in log] == list(range(1, 32))


@asynchronous
async def test_many_plans_go_side_by_side() -> None:
    scene = await Scene.make(plan=None)
    plans = [f"EP-{i}" for i in range(1, 33)]
    await asyncio.gather(
        *(
            scene.path.execute(RegisterPlan(WHO, plan, plan, "initiative", "t", pack(b"v1")))
            for plan in plans
        )
    )
    outcomes = await asyncio.gather(
        *(
            scene.path.execute(opening(f"{plan}.{i}", f"T{i}", plan))
            for plan in plans
            for i in (1, 2)
        )
    )
    assert {outcome.how for outcome in outcomes} == {"committed"}
    for plan in plans:
        head = Head.decode((await scene.below(keys.PlanKeys(plan).head))[0].value)
        assert head.seq == 3


@asynchronous
async def test_the_same_operation_sent_many_times_at_once_is_done_once() -> None:
    scene = await Scene.make()
    outcomes = await asyncio.gather(
        *(path.execute(opening("same")) for path in (scene.path, scene.cold()) for _ in range(8))
    )
    assert sorted(outcome.how for outcome in outcomes) == ["committed"] + ["repeated"] * 15
    assert len({outcome.result.model_dump_json() for outcome in outcomes}) == 1
    assert len(await scene.log()) == 2


@asynchronous
async def test_the_first_of_two_promotions_does_not_overwrite_the_second() -> None:
    scene = await Scene.make()
    one, two = await scene.succeed("T1", b"v2"), await scene.succeed("T2", b"other")
    answers = await asyncio.gather(
        *(
            path.execute(Promote(WHO, name, PLAN, (ref(branch),)))
            for path, name, branch in ((scene.cold(), "p1", one), (scene.cold(), "p2", two))
        ),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["MergeConflict", "Outcome"]
    refused = next(answer for answer in answers if isinstance(answer, MergeConflict))
    (waiting,) = cast("list[str]", refused.facts["rr_plans"])
    assert (await scene.states())[waiting] == "SUCCEEDED"


@asynchronous
async def test_initialising_is_done_once() -> None:
    scene = await Scene.make(plan=None)
    for op_id in ("init", "other"):
        outcome = await scene.path.execute(Initialise(WHO, op_id))
        assert outcome.how in {"repeated", "noop"}
    assert scene.store.writes == 0


@asynchronous
async def test_registering_again_changes_nothing_and_another_content_is_refused() -> None:
    scene = await Scene.make()
    same = RegisterPlan(WHO, "r2", PLAN, "initiative", "title", pack(b"v1"))
    assert (await scene.path.execute(same)).how == "noop"
    for other in (
        RegisterPlan(WHO, "r3", PLAN, "initiative", "title", pack(b"other")),
        RegisterPlan(WHO, "r4", PLAN, "initiative", "other", pack(b"v1")),
        RegisterPlan(WHO, "r5", PLAN, "other", "title", pack(b"v1")),
    ):
        with pytest.raises(Exists):
            await scene.path.execute(other)
    assert [put.key for txn in scene.store.txns for put in txn.operations] == [same.operation.key]


@asynchronous
async def test_a_dry_run_says_what_would_happen_and_writes_nothing() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    scene.store.reset()
    command = Promote(WHO, "p", PLAN, (ref(branch),))
    before = scene.memory._history.revision
    outcome = await decide_only(scene.store, scene.clock, command)
    assert (outcome.how, outcome.result.version) == ("noop", 2)
    assert scene.store.writes == 0
    assert scene.memory._history.revision == before
    done = await scene.path.execute(command)
    assert done.result.contributors == outcome.result.contributors
    assert (await decide_only(scene.store, scene.clock, command)).how == "repeated"


@asynchronous
async def test_a_cancelled_command_leaves_the_plan_writable() -> None:
    scene = await Scene.make()
    for turns in range(6):
        task = asyncio.create_task(scene.path.execute(opening(f"c{turns}", f"T{turns}")))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await scene.path.execute(opening(f"c{turns}", f"T{turns}"))).result.n == 1
    assert len(await scene.branches()) == 6


def test_a_view_says_what_it_has_not_read() -> None:
    view = View(fresh=True)
    with pytest.raises(NotRead) as unread:
        view.get_all([b"a", b"b"])
    assert unread.value.reads == (Key(b"a"), Key(b"b"))
    assert view.get_or_guess_absent(b"a") is None
    assert view.guessed == {b"a"}
    with pytest.raises(NotRead):
        view.under(b"a")


@asynchronous
async def test_a_repeated_noop_has_its_first_answer_whatever_happened_since() -> None:
    scene = await Scene.make()
    first = await scene.succeed("T1", b"v2")
    await scene.promote(first)
    back = Revert(WHO, "back", PLAN, 2, "why")
    noop = await scene.path.execute(back)
    assert (noop.how, noop.result.version) == ("noop", 2)
    await scene.promote(await scene.succeed("T2", b"v3"))
    again = await scene.path.execute(back)
    assert (again.how, again.result) == ("repeated", noop.result)
    assert (await scene.path.execute(Revert(WHO, "new", PLAN, 2, "why"))).result.version == 4


@asynchronous
async def test_an_operation_id_that_changed_nothing_is_spent_all_the_same() -> None:
    scene = await Scene.make()
    same = RegisterPlan(WHO, "r", PLAN, "initiative", "title", pack(b"v1"))
    assert (await scene.path.execute(same)).how == "noop"
    with pytest.raises(IdempotencyKeyReused):
        await scene.path.execute(RegisterPlan(WHO, "r", "EP-2", "initiative", "t", pack(b"v1")))
    assert await scene.below(keys.PlanKeys("EP-2").root) == ()


@asynchronous
async def test_a_noop_whose_answer_was_lost_is_not_decided_anew() -> None:
    scene = await Scene.make()
    same = RegisterPlan(WHO, "r", PLAN, "initiative", "title", pack(b"v1"))
    scene.faulty.commits_only = True
    scene.faulty.script.append(Fault.LOSE_REPLY)
    outcome = await scene.path.execute(same)
    assert (outcome.how, outcome.result.receipt) == ("repeated", None)


@asynchronous
async def test_a_noop_costs_one_transaction_that_compares_the_head() -> None:
    scene = await Scene.make()
    same = RegisterPlan(WHO, "r", PLAN, "initiative", "title", pack(b"v1"))
    await scene.path.execute(same)
    assert scene.store.calls == ["commit"]
    compared = [compare.key for compare in scene.store.txns[0].compares]
    assert compared == [keys.LEADER_HOLDER, same.operation.key, keys.PlanKeys(PLAN).head]
