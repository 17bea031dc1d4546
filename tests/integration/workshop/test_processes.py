"""Merges in real processes: killed, slow, many at once, and ended with their service."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from bps.core.errors import DigestMismatch, MergeTooLong, Overloaded, WorkFailed
from bps.core.ids import BranchRef
from bps.core.keys import PlanKeys
from bps.core.txn import Committed, Delete, Put, Txn
from bps.plans.events import BlueprintPromoted
from bps.promotion.promote import Promote
from bps.promotion.results import PromotionResult
from bps.replay.verify import verify
from bps.workshop.processes import Processes
from bps.workshop.workshop import ProcessWorkshop
from bps.writepath.command import Outcome
from tests.asynchronous import asynchronous, eventually
from tests.doubles import PLAN, WHO, Scene, ref
from tests.integration.workshop.slow_merges import HeldWorkshop, exists, lives
from tests.unit.http.sockets import on_uvloop

BASE = b"one: 1\n\ntwo: 2\n\nthree: 3\n"
ONE = BASE.replace(b"one: 1", b"one: 10")
TWO = BASE.replace(b"two: 2", b"two: 20")
MERGED = BASE.replace(b"one: 1", b"one: 10").replace(b"two: 2", b"two: 20")


async def two_fixes(workshop: ProcessWorkshop, *plans: str) -> Scene:
    """Plans with two fixes each, that a real merge has to put together."""
    scene = await Scene.make(None, workshop=workshop)
    await scene.set_policy(validators=[])
    for plan in plans or (PLAN,):
        await scene.register(BASE, plan)
        await scene.succeed(f"{plan}-1", ONE, plan=plan)
        await scene.succeed(f"{plan}-2", TWO, plan=plan)
    return scene


async def begins(workshop: HeldWorkshop, but: tuple[int, ...] = ()) -> int:
    """The process in which a merge begins."""

    async def begun() -> bool:
        return bool(set(workshop.begun) - set(but))

    await eventually(begun, "a merge begins")
    return (set(workshop.begun) - set(but)).pop()


def promoting(scene: Scene, op_id: str = "p") -> asyncio.Task[Outcome[PromotionResult]]:
    return asyncio.create_task(scene.path.execute(Promote(WHO, op_id, PLAN)))


async def revision(scene: Scene) -> int:
    return (await scene.memory.status())[0].revision


@asynchronous
async def test_a_fresh_worker_killed_in_the_middle_refuses_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    async with HeldWorkshop(tmp_path / "go") as workshop:
        scene = await two_fixes(workshop)
        before = await revision(scene)
        task = promoting(scene)
        os.kill(await begins(workshop), signal.SIGKILL)
        with pytest.raises(WorkFailed, match="ended"):
            await task
        assert await revision(scene) == before
        workshop.until.touch()
        assert (await promoting(scene)).result.version == 2
        assert await scene.canonical() == MERGED


@asynchronous
async def test_a_warm_worker_killed_in_the_middle_is_replaced_and_the_promotion_goes_on(
    tmp_path: Path,
) -> None:
    async with HeldWorkshop(tmp_path / "go") as workshop:
        scene = await two_fixes(workshop)
        workshop.until.touch()
        warm = await workshop.compute(_pid, None)
        workshop.until.unlink()
        (tmp_path / f"go.begun-{warm}").unlink()
        task = promoting(scene)
        assert await begins(workshop) == warm
        os.kill(warm, signal.SIGKILL)
        second = await begins(workshop, (warm,))
        workshop.until.touch()
        assert (await task).result.version == 2
        assert second != warm
        assert await scene.canonical() == MERGED
        await verify(scene.memory, PLAN)


def _pid(_: None) -> int:
    return os.getpid()


@asynchronous
async def test_a_merge_that_takes_too_long_is_killed_and_refused(tmp_path: Path) -> None:
    async with HeldWorkshop(tmp_path / "go", limit_s=2.0) as workshop:
        scene = await two_fixes(workshop)
        before = await revision(scene)
        with pytest.raises(WorkFailed, match="longer than 2 s"):
            await promoting(scene)
        assert await revision(scene) == before
        assert not any(lives(pid) for pid in workshop.begun)


@asynchronous
async def test_a_caller_that_goes_away_ends_its_merge(tmp_path: Path) -> None:
    async with HeldWorkshop(tmp_path / "go") as workshop:
        scene = await two_fixes(workshop)
        task = promoting(scene)
        pid = await begins(workshop)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not lives(pid)
        assert len(await scene.versions()) == 1


@pytest.mark.parametrize("damage", ["gone", "other bytes"])
@asynchronous
async def test_a_blueprint_that_cannot_be_read_refuses_and_nothing_is_written(damage: str) -> None:
    async with ProcessWorkshop() as workshop:
        scene = await two_fixes(workshop)
        at = PlanKeys(PLAN)
        digest = next(iter((await scene.rr_plans()).values())).digest or ""
        (other, *_) = await scene.below(at.blobs)
        assert other.key != at.blob(digest) or damage == "gone"
        change = Delete(at.blob(digest)) if damage == "gone" else Put(at.blob(digest), b"junk")
        assert isinstance(await scene.memory.commit(Txn((), (change,))), Committed)
        before = await revision(scene)
        with pytest.raises(DigestMismatch) as refusal:
            # One that has not written these blobs itself.
            await scene.cold().execute(Promote(WHO, "p", PLAN))
        assert digest in str(refusal.value.facts) + refusal.value.message
        assert await revision(scene) == before


@asynchronous
async def test_promotions_of_more_plans_than_processes_are_all_merged() -> None:
    plans = [f"EP-{number}" for number in range(1, 9)]
    async with ProcessWorkshop() as workshop:
        scene = await two_fixes(workshop, *plans)
        results = await asyncio.gather(*(scene.promote(plan=plan) for plan in plans))
        assert [(each.plan, each.version) for each in results] == [(plan, 2) for plan in plans]
        for plan in plans:
            assert await scene.canonical(plan) == MERGED


@asynchronous
async def test_closing_leaves_no_process_also_not_one_at_work(tmp_path: Path) -> None:
    workshop = HeldWorkshop(tmp_path / "go")
    scene = await two_fixes(workshop)
    task = promoting(scene)
    pid = await begins(workshop)
    await workshop.close()
    with pytest.raises(WorkFailed, match="ended"):
        await task
    assert workshop.begun == [pid]
    assert not lives(pid)
    with pytest.raises(WorkFailed):
        await promoting(scene, "later")
    assert len(await scene.versions()) == 1


@asynchronous
async def test_an_idle_process_ends_with_its_workshop() -> None:
    workshop = ProcessWorkshop()
    pid = await workshop.compute(_pid, None)
    assert lives(pid)
    await workshop.close()
    assert not lives(pid)


@on_uvloop
async def test_a_process_that_was_killed_while_it_was_idle_is_replaced() -> None:
    async with ProcessWorkshop() as workshop:
        idle = await workshop.compute(_pid, None)
        os.kill(idle, signal.SIGKILL)

        async def reaped() -> bool:
            return not exists(idle)

        await eventually(reaped, "the event loop has learnt that it is gone")
        assert await workshop.compute(_pid, None) != idle


@asynchronous
async def test_canonical_that_moves_while_it_is_merged_is_merged_anew(tmp_path: Path) -> None:
    async with HeldWorkshop(tmp_path / "go") as workshop:
        scene = await two_fixes(workshop)
        three = await scene.succeed("T3", BASE.replace(b"three: 3", b"three: 30"))
        one, two = [
            each for each in (await scene.rr_plans()).values() if each.digest != three.digest
        ]
        refs = tuple(BranchRef(each.branch, each.n) for each in (one, two))
        task = asyncio.create_task(scene.path.execute(Promote(WHO, "p", PLAN, refs)))
        await begins(workshop)
        # Law 1 needs no merge: it overtakes, and the first one meets another head.
        moved = await scene.cold().execute(Promote(WHO, "q", PLAN, (ref(three),)))
        assert moved.result.version == 2
        workshop.until.touch()
        result = (await task).result
        assert result.version == 3
        assert await scene.canonical() == MERGED.replace(b"three: 3", b"three: 30")
        merges = [
            body.merge for _, body in await scene.log() if isinstance(body, BlueprintPromoted)
        ]
        assert merges[-1] is not None
        assert merges[-1].canonical_digest == moved.result.digest
        assert len(workshop.begun) == 1
        assert (await scene.types()).count("BLUEPRINT_PROMOTED") == 2
        await verify(scene.memory, PLAN)


def _sleeps(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@asynchronous
async def test_work_that_was_stopped_twice_is_not_begun_again_at_once() -> None:
    processes = Processes(limit_s=2.5)
    clock = time.monotonic
    told: list[bool] = []
    try:
        for least_s, most_s in ((2.4, 60.0), (2.4, 60.0), (0.0, 1.0)):
            begun = clock()
            with pytest.raises((WorkFailed, MergeTooLong), match=r"longer than 2\.5 s") as refusal:
                await processes.run(_sleeps, 60.0)
            told.append(refusal.value.retryable)
            assert least_s <= clock() - begun < most_s
        assert told == [True, False, False]
        assert await processes.run(_sleeps, 0.0) == 0.0
    finally:
        await processes.close()


@asynchronous
async def test_a_long_merge_of_one_plan_holds_up_no_other_plan(tmp_path: Path) -> None:
    async with HeldWorkshop(tmp_path / "go") as workshop:
        long = promoting(await two_fixes(workshop))
        await begins(workshop)
        other = asyncio.create_task(ProcessWorkshop.compute(workshop, _pid, None))
        assert await asyncio.wait_for(other, 30) not in workshop.begun
        assert not long.done()
        workshop.until.touch()
        assert (await long).result.version == 2


@asynchronous
async def test_the_process_for_validators_starts_while_the_first_merge_runs(tmp_path: Path) -> None:
    async with HeldWorkshop(tmp_path / "go") as workshop:
        scene = await two_fixes(workshop)
        await scene.set_policy(validators=[{"name": "references"}])
        # One that does not remember the policy before.
        task = asyncio.create_task(scene.cold().execute(Promote(WHO, "p", PLAN)))
        await begins(workshop)

        async def ready() -> bool:
            return bool(workshop.judges)

        await eventually(ready, "a process for validators is ready")
        judges = workshop.judges
        workshop.until.touch()
        assert (await task).result.version == 2
        assert workshop.judges == judges


@asynchronous
async def test_readers_beyond_a_number_are_refused_and_hold_up_no_write() -> None:
    readers, writers = Processes(size=1, most_waiting=2), Processes()
    shown: list[asyncio.Task[float]] = []
    try:
        assert await writers.run(_sleeps, 0.0) == 0.0
        assert await readers.run(_sleeps, 0.0) == 0.0
        shown += [asyncio.create_task(readers.run(_sleeps, 60.0 + n)) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await readers.run(_sleeps, 0.5)
        assert await writers.run(_sleeps, 0.1) == 0.1
        assert not any(each.done() for each in shown)
    finally:
        await readers.close()
        await writers.close()
    ended = await asyncio.gather(*shown, return_exceptions=True)
    assert [type(each) for each in ended] == [WorkFailed] * 3
