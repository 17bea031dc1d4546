"""Candidates that wait for one worker: each gets its own verdict, whatever befalls the others."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bps.core.errors import PluginError
from bps.validation import pool as pools
from bps.validation.limits import Limits
from bps.validation.pool import ValidatorPool
from bps.validation.report import Allowed, CandidateText, Outcome, ValidationReport
from tests.asynchronous import asynchronous, eventually
from tests.checkout import VARIABLE, python_path
from tests.integration.validation.plugins import distribution, judge

LIMITS = Limits(time_s=2.0, memory_bytes=64 * 1_048_576)
SOURCE = judge(
    "Obeys",
    """
import os, time
do = candidate.merged['do']
if do == 'raise': raise ValueError('told to')
if do == 'exit': os._exit(4)
if do == 'sleep': time.sleep(60)
if do == 'rest': time.sleep(1)
if do == 'edit': candidate.base.clear(); candidate.branches['b'].clear()
print('at', candidate.merged['n'])
yield Finding(ERROR, '/n', 'said', f"{candidate.merged['n']} {candidate.base} {candidate.branches}")
""",
)
OBEYS = [Allowed("q-obeys", {})]


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    found = tmp_path_factory.mktemp("site")
    distribution(found, "q-plugins", SOURCE, q_obeys="Obeys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, python_path(found))
        yield found


def told(number: int, do: str = "speak") -> CandidateText:
    text = f"do: {do}\nn: {number}\n"
    return CandidateText(f"n: {number - 1}\n", {"b": text}, text, {})


def right(report: ValidationReport, number: int, do: str = "speak") -> bool:
    (finding,) = report.findings
    branches = {"b": {"do": do, "n": number}}
    said = f"{number} {{'n': {number - 1}}} {branches}"
    return (finding.code, finding.message, finding.line) == ("said", said, 2)


@pytest.mark.parametrize(
    ("do", "outcome", "why"),
    [
        ("raise", Outcome.CRASHED, "told to"),
        ("exit", Outcome.CRASHED, "exit code 4"),
        ("sleep", Outcome.TIMED_OUT, "killed after"),
    ],
)
@asynchronous
async def test_only_the_candidate_that_ends_a_worker_is_blamed(
    do: str, outcome: Outcome, why: str
) -> None:
    async with ValidatorPool(LIMITS, size=1) as pool:
        jobs = [told(n, do if n == 5 else "speak") for n in range(20)]
        reports = await asyncio.gather(*(pool.run(job, OBEYS, 30) for job in jobs))
    for n, report in enumerate(reports):
        if n != 5:
            assert right(report, n)
            continue
        assert [run.outcome for run in report.runs] == [outcome]
        (finding,) = report.findings
        assert why in f"{finding.message} {finding.hint}"
        assert "at 4" not in finding.hint


@asynchronous
async def test_what_is_known_of_a_text_is_not_what_a_validator_made_of_it() -> None:
    async with ValidatorPool(LIMITS, size=1) as pool:
        edited = await pool.run(told(1, "edit"), OBEYS, 30)
        assert edited.findings[0].message == "1 {} {'b': {}}"
        again = await pool.run(told(1, "edit"), [*OBEYS, Allowed("references", {})], 30)
        assert again.findings == edited.findings
        # Its text was this one's base.
        assert right(await pool.run(told(2), OBEYS, 30), 2)


async def works(pool: ValidatorPool) -> bool:
    return bool(pool.pids)


@asynchronous
async def test_a_worker_killed_from_outside_is_nobodys_fault() -> None:
    async with ValidatorPool(LIMITS, size=1) as pool:
        assert right(await pool.run(told(0), OBEYS, 30), 0)
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        waiting = [asyncio.create_task(pool.run(told(n), OBEYS, 30)) for n in range(5)]
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        assert all(right(report, n) for n, report in enumerate(await asyncio.gather(*waiting)))
        assert pool.pids != [pid]


@asynchronous
async def test_who_goes_away_takes_nobody_along() -> None:
    async with ValidatorPool(LIMITS, size=1) as pool:
        jobs = [
            asyncio.create_task(pool.run(told(n, "sleep" if n in {0, 3} else "speak"), OBEYS, 30))
            for n in range(6)
        ]
        await eventually(partial(works, pool), "a worker")
        jobs[0].cancel()
        jobs[3].cancel()
        reports = await asyncio.gather(*jobs, return_exceptions=True)
        for n, report in enumerate(reports):
            if n in {0, 3}:
                assert isinstance(report, asyncio.CancelledError)
            else:
                assert isinstance(report, ValidationReport)
                assert right(report, n)


@asynchronous
async def test_closing_tells_all_that_wait() -> None:
    pool = ValidatorPool(LIMITS, size=1)
    waiting = [asyncio.create_task(pool.run(told(n, "sleep"), OBEYS, 30)) for n in range(3)]
    await eventually(partial(works, pool), "a worker")
    await pool.close()
    for error in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(error, PluginError)
    with pytest.raises(PluginError, match="this process ends"):
        await pool.run(told(1), OBEYS, 30)


@asynchronous
async def test_nobody_waits_behind_a_slow_one_while_another_worker_is_free() -> None:
    clock = asyncio.get_running_loop().time
    async with ValidatorPool(Limits(time_s=30.0), size=2) as pool:
        while len(pool.pids) < 2:
            await asyncio.gather(*(pool.run(told(n), OBEYS, 30) for n in range(8)))
        slow = asyncio.create_task(pool.run(told(0, "sleep"), OBEYS, 30))
        await asyncio.sleep(0)
        began = clock()
        # Each round, somebody is given to the slow worker until that is known to be slow.
        for _ in range(3):
            reports = await asyncio.gather(*(pool.run(told(n), OBEYS, 30) for n in range(5)))
            assert all(right(report, n) for n, report in enumerate(reports))
        assert clock() - began < 5.0
        assert not slow.done()
        slow.cancel()


@asynchronous
async def test_who_waits_behind_a_slow_one_goes_to_a_worker_that_is_started_then() -> None:
    async with ValidatorPool(Limits(time_s=30.0), size=2) as pool:
        assert right(await pool.run(told(0), OBEYS, 30), 0)
        assert len(pool.pids) == 1
        slow = asyncio.create_task(pool.run(told(0, "sleep"), OBEYS, 30))
        await asyncio.sleep(0)
        assert right(await asyncio.wait_for(pool.run(told(1), OBEYS, 30), 20), 1)
        assert not slow.done()
        slow.cancel()


@asynchronous
async def test_what_was_given_up_before_its_turn_is_not_judged_and_costs_no_worker() -> None:
    clock = asyncio.get_running_loop().time
    async with ValidatorPool(Limits(time_s=30.0), size=1) as pool:
        assert right(await pool.run(told(0), OBEYS, 30), 0)
        pids = pool.pids
        present = asyncio.create_task(pool.run(told(0, "rest"), OBEYS, 30))
        given_up = [asyncio.create_task(pool.run(told(9, "sleep"), OBEYS, 30)) for _ in range(4)]
        # Before and after the worker is known to be slow.
        await asyncio.sleep(0.01)
        for task in given_up[:2]:
            task.cancel()
        await asyncio.sleep(0.2)
        for task in given_up[2:]:
            task.cancel()
        began = clock()
        assert right(await pool.run(told(1), OBEYS, 30), 1)
        assert clock() - began < 5.0
        assert right(await present, 0, "rest")
        assert pool.pids == pids


@asynchronous
async def test_what_is_taken_back_too_late_costs_no_worker_and_is_nobody_elses_verdict() -> None:
    async with ValidatorPool(Limits(time_s=30.0), size=1) as pool:
        assert right(await pool.run(told(0), OBEYS, 30), 0)
        pids = pool.pids
        waiting = [asyncio.create_task(pool.run(told(n), OBEYS, 30)) for n in range(4)]
        await asyncio.sleep(0)
        # The worker judges the first two, and is not heard before the second is given up.
        time.sleep(0.3)  # noqa: ASYNC251 - the event loop is to be busy
        waiting[1].cancel()
        reports = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(reports.pop(1), asyncio.CancelledError)
        for n, report in zip((0, 2, 3), reports, strict=True):
            assert isinstance(report, ValidationReport)
            assert right(report, n)
        assert pool.pids == pids


@pytest.mark.parametrize(
    ("at_once", "groups"), [(3, [3, 3, 3, 1, 1]), (1_000, [9, 1, 1]), (1, [1] * 11)]
)
@asynchronous
async def test_where_candidates_wait_reports_are_told_some_at_a_time(
    at_once: int, groups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "TOGETHER", at_once)
    monkeypatch.setattr(pools, "TOGETHER_S", 3_600.0)
    found: list[int] = []
    async with ValidatorPool(LIMITS, size=1) as pool:
        assert right(await pool.run(told(0), OBEYS, 30), 0)
        tell = pool._tell

        def recorded(*, now: bool = False) -> None:
            judged = len(pool._judged)
            tell(now=now)
            if count := judged - len(pool._judged):
                found.append(count)

        monkeypatch.setattr(pool, "_tell", recorded)
        waiting = [asyncio.create_task(pool.run(told(n), OBEYS, 30)) for n in range(11)]
        assert all(right(report, n) for n, report in enumerate(await asyncio.gather(*waiting)))
    # The last two are at the worker by the time that nobody waits.
    assert found == groups


@asynchronous
async def test_no_report_is_kept_back_behind_a_slow_candidate() -> None:
    async with ValidatorPool(LIMITS, size=1) as pool:
        jobs = [told(n, "rest" if n == 1 else "speak") for n in range(4)]
        waiting = [asyncio.create_task(pool.run(job, OBEYS, 30)) for job in jobs]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [job.done() for job in waiting] == [True, False, False, False]
        await asyncio.gather(*waiting)


@asynchronous
async def test_what_is_judged_is_told_when_the_pool_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools, "TOGETHER_S", 3_600.0)
    async with ValidatorPool(LIMITS, size=1) as pool:
        jobs = [told(n, "rest" if n == 1 else "speak") for n in range(4)]
        waiting = [asyncio.create_task(pool.run(job, OBEYS, 30)) for job in jobs]

        async def judged() -> bool:
            return bool(pool._judged)

        await eventually(judged, "the first is judged")
    first, *others = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(first, ValidationReport)
    assert all(isinstance(each, PluginError) for each in others)
