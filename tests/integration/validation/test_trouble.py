"""A validator that raises, hangs, eats memory, exits or is missing blocks, and only that."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bps.core.errors import InvalidBlueprint, InvalidInput, PluginError
from bps.policy.validator_use import ValidatorUse
from bps.validation.limits import Limits
from bps.validation.pool import ValidatorPool
from bps.validation.report import Allowed, CandidateText, Outcome, ValidationReport
from bps.validation.usable import check_usable
from tests.asynchronous import eventually, run
from tests.checkout import VARIABLE, python_path
from tests.integration.validation.plugins import distribution, judge

TEXT = "title: x\ntasks:\n  - id: a\n    depends_on: [b]\n"
CANDIDATE = CandidateText("title: w\n", {"r": TEXT}, TEXT, {"max_branches": 3})
LIMITS = Limits(time_s=2.0, memory_bytes=64 * 1_048_576)

SOURCE = (
    judge("Says", "yield Finding(ERROR, '/tasks/0/id', 'said', repr(sorted(candidate.policy)))")
    + judge("Raises", "raise ValueError('too bad')")
    + judge("Exits", "import sys; sys.exit(0)")
    + judge("Gone", "import os; print('going', flush=True); os._exit(0)")
    + judge("Hangs", "while True:\n    pass")
    + judge("Sleeps", "import time; time.sleep(60)")
    + judge("Eats", "kept = [bytearray(1 << 20) for _ in range(4096)]; return []")
    + judge("Breaks", "import ctypes; ctypes.string_at(0)")
    + judge("Answers", "return None")
    + judge("Lies", "return ['a finding']")
    + judge("Points", "return [Finding(ERROR, 'tasks', 'x', 'no pointer')]")
    + judge("Endless", "while True:\n    yield Finding(ERROR, '', 'again', 'and again')")
    + judge("Prints", "print('x' * 10_000_000); import sys; sys.stderr.write('y'); return []")
    + judge("Asks", "import sys; assert sys.stdin.read() == ''; return []")
    + judge("Edits", "candidate.merged.clear(); candidate.base.clear(); return []")
    + judge("Forks", "import os, time\nif os.fork() == 0:\n    time.sleep(600)\nraise OSError")
    + judge("Writes", "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'junk' * 99)\n"
            "    except OSError: pass\nreturn []")
    + judge("Threads", "import threading, time\n"
            "threading.Thread(target=time.sleep, args=(600,)).start()\nreturn []")
    + judge("Secret", "import os\nreturn [Finding(ERROR, '', 'env', n) "
            "for n in os.environ if n.startswith('BPS_')]")
    + "\nclass NoValidator: pass\n"
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    found = tmp_path_factory.mktemp("site")
    names = re.findall(r"class (\w+)\(Validator\)", SOURCE)
    points = {f"t_{name.lower()}": name for name in names}
    points |= {"t_novalidator": "NoValidator", "t_nothing": "Nothing"}
    distribution(found, "t-plugins", SOURCE, **points)
    distribution(found, "t-import", "raise RuntimeError('no import')", t_import="Any")
    distribution(found, "t-hanging-import", "while True: pass", t_hangingimport="Any")
    distribution(found, "t-twice", judge("Says", "return []"), t_twice="Says")
    distribution(found, "t-again", judge("Says", "return []"), t_twice="Says")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, python_path(found))
        yield found


def allowed(*names: str) -> list[Allowed]:
    return [Allowed(name, {}) for name in names]


async def gone(pid: int) -> bool:
    """Whether nothing is left of the worker and of what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, 0)
        return False
    return True


def judged(
    names: Sequence[str], *, limits: Limits = LIMITS, deadline_s: float = 30
) -> ValidationReport:
    async def once() -> ValidationReport:
        async with ValidatorPool(limits) as pool:
            return await pool.run(CANDIDATE, allowed(*names), deadline_s)

    return run(once())


def test_data_of_large_texts_are_nobody_s_time_and_memory_and_what_is_done_with_them_is(
    tmp_path: Path,
) -> None:
    source = judge(
        "Looks", "for _ in range(3):\n    assert len(candidate.branches) == 8\nreturn []"
    )
    source += judge("Eats", "assert candidate.base\nx = list(range(10**7))\nreturn []")
    source += judge("Hangs", "assert candidate.base\nwhile True: pass")
    distribution(tmp_path, "t-large", source, t_looks="Looks", t_eats="Eats", t_hangs="Hangs")
    text = "tasks:\n" + "".join(f"- {{id: t{n}}}\n" for n in range(8_000))
    candidate = CandidateText(
        base=text,
        branches={f"b{n}": f"{text}- {n}\n" for n in range(8)},
        merged="tasks: []\n",
        policy={},
    )

    async def told() -> dict[str, Outcome]:
        async with ValidatorPool(Limits(time_s=1.0, memory_bytes=8 * 1_048_576)) as pool:
            names = allowed("t-looks", "t-eats", "t-hangs")
            report = await pool.run(candidate, names, 60)
            return {each.name: each.outcome for each in report.runs}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, python_path(tmp_path))
        assert run(told()) == {
            "t-eats": Outcome.OUT_OF_MEMORY,
            "t-hangs": Outcome.TIMED_OUT,
            "t-looks": Outcome.COMPLETED,
        }


@pytest.mark.parametrize(
    ("name", "outcome", "told"),
    [
        ("t-raises", Outcome.CRASHED, "ValueError: too bad"),
        ("t-exits", Outcome.CRASHED, "ended the process with 0"),
        ("t-gone", Outcome.CRASHED, "Last lines: going"),
        ("t-hangs", Outcome.TIMED_OUT, "in validate"),
        ("t-sleeps", Outcome.TIMED_OUT, "in validate"),
        ("t-eats", Outcome.OUT_OF_MEMORY, "more memory than it may"),
        ("t-breaks", Outcome.CRASHED, "SIGSEGV"),
        ("t-answers", Outcome.CRASHED, "TypeError"),
        ("t-lies", Outcome.CRASHED, "str in place of Finding"),
        ("t-points", Outcome.CRASHED, "no JSON Pointer"),
        ("t-forks", Outcome.CRASHED, "OSError"),
        ("t-import", Outcome.BROKEN, "RuntimeError: no import"),
        ("t-hangingimport", Outcome.TIMED_OUT, "<module>"),
        ("t-novalidator", Outcome.BROKEN, "no class derived from"),
        ("t-nothing", Outcome.BROKEN, "AttributeError"),
        ("t-twice", Outcome.AMBIGUOUS, "t-again 1.2.3, t-twice 1.2.3"),
        ("t-missing", Outcome.MISSING, "not installed"),
    ],
)
def test_each_trouble_blocks_by_name_and_the_others_are_heard(
    place: Path, name: str, outcome: Outcome, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    report = judged(["references", name, "t-says"])
    assert report.blocking
    assert {each.name: each.outcome for each in report.runs} == {
        "references": Outcome.COMPLETED,
        name: outcome,
        "t-says": Outcome.COMPLETED,
    }
    (finding,) = [each for each in report.findings if each.validator == name]
    assert (finding.code, finding.severity) == (outcome.value, "error")
    assert name in finding.message
    assert told in f"{finding.message} {finding.hint}"
    heard = {(each.validator, each.path, each.line) for each in report.findings}
    assert {("references", "/tasks/0/depends_on/0", 4), ("t-says", "/tasks/0/id", 3)} <= heard
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["t-prints", "t-asks", "t-edits", "t-threads"])
def test_what_is_only_ill_mannered_disturbs_nobody(
    place: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    report = judged([name, "references", "t-says"])
    assert {each.outcome for each in report.runs} == {Outcome.COMPLETED}
    assert [each.code for each in report.findings] == ["unknown-reference", "said"]
    assert capfd.readouterr() == ("", "")


def test_junk_on_every_descriptor_is_a_crash_and_nothing_else(place: Path) -> None:
    report = judged(["references", "t-writes", "uniqueness"])
    assert [each.outcome for each in report.runs] == [
        Outcome.COMPLETED,
        Outcome.CRASHED,
        Outcome.COMPLETED,
    ]


def test_findings_without_end_are_cut_and_say_so(place: Path) -> None:
    report = judged(["t-endless"])
    assert [each.outcome for each in report.runs] == [Outcome.COMPLETED]
    assert len(report.findings) == 1_001
    assert report.findings[-1].code == "too-many-findings"


def test_tokens_and_passwords_of_the_process_are_not_handed_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BPS_TOKEN", "secret")
    assert judged(["t-secret"]).findings == ()


def test_the_deadline_of_the_whole_holds_and_all_that_wait_block(place: Path) -> None:
    async def once() -> float:
        async with ValidatorPool(Limits(time_s=20.0)) as pool:
            began = asyncio.get_running_loop().time()
            report = await pool.run(CANDIDATE, allowed("t-hangs", "t-says", "uniqueness"), 1.5)
            assert {each.outcome for each in report.runs} == {Outcome.TIMED_OUT}
            assert len(report.runs) == 3
            return asyncio.get_running_loop().time() - began

    assert run(once()) < 4.0


def test_a_warm_worker_is_used_again_and_replaced_after_trouble(place: Path) -> None:
    async def story() -> None:
        async with ValidatorPool(LIMITS) as pool:
            workers = []
            for name in ("t-says", "t-says", "t-raises", "t-says"):
                await pool.run(CANDIDATE, allowed(name), 30)
                workers.append(pool.pids)
            assert workers[0] == workers[1] != []
            assert workers[2] == []
            assert workers[3] not in ([], workers[0])

    run(story())


def test_a_worker_that_was_killed_while_idle_is_replaced(place: Path) -> None:
    async def story() -> None:
        async with ValidatorPool(LIMITS) as pool:
            await pool.run(CANDIDATE, allowed("t-says"), 30)
            os.kill(pool.pids[0], signal.SIGKILL)
            report = await pool.run(CANDIDATE, allowed("t-says"), 30)
            assert [each.outcome for each in report.runs] == [Outcome.COMPLETED]

    run(story())


def test_cancelling_a_run_kills_its_worker_and_the_event_loop_was_free_meanwhile(
    place: Path,
) -> None:
    async def story() -> None:
        async with ValidatorPool(Limits(time_s=30.0)) as pool:
            await pool.run(CANDIDATE, allowed("t-says"), 30)
            pid = pool.pids[0]
            task = asyncio.create_task(pool.run(CANDIDATE, allowed("t-hangs"), 30))
            ticks = 0
            while ticks < 20:
                await asyncio.sleep(0.01)
                ticks += 1
            assert not await gone(pid)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await eventually(lambda: gone(pid), "the worker is gone")

    run(story())


def test_text_that_is_no_blueprint_is_refused_by_name(place: Path) -> None:
    async def story() -> None:
        async with ValidatorPool(LIMITS) as pool:
            with pytest.raises(InvalidBlueprint, match="Line 2"):
                await pool.run(CandidateText(None, {}, "a: [", {}), allowed("t-says"), 30)
            report = await pool.run(CANDIDATE, allowed("t-says"), 30)
            assert [each.outcome for each in report.runs] == [Outcome.COMPLETED]

    run(story())


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (ValidatorUse(name="t-missing"), PluginError),
        (ValidatorUse(name="t-raises"), PluginError),
        (ValidatorUse(name="t-import"), PluginError),
        (ValidatorUse(name="references", config={"no": 1}), InvalidInput),
        (ValidatorUse(name="cel", config={}), InvalidInput),
        (
            ValidatorUse(name="cel", config={"rules": [{"expression": "1 +", "message": "m"}]}),
            InvalidInput,
        ),
        (ValidatorUse(name="json-schema", config={"schema": {"type": "no"}}), InvalidInput),
    ],
)
def test_what_would_block_every_promotion_is_refused_before_it_is_in_force(
    place: Path, use: ValidatorUse, error: type[Exception]
) -> None:
    with pytest.raises(error, match=use.name) as refused:
        run(check_usable([use, ValidatorUse(name="t-says")]))
    if isinstance(refused.value, PluginError):
        assert "`bps validators doctor --policy FILE`" in (refused.value.next_action or "")


_STARTER = """
import asyncio
from bps.validation.pool import ValidatorPool
from bps.validation.report import Allowed, CandidateText

async def main():
    async with ValidatorPool() as pool:
        await pool.run(CandidateText(None, {}, "a: 1", {}), [Allowed("references", {})], 30)
        print(pool.pids[0], flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_worker_ends_with_the_process_that_started_it_even_by_kill_9() -> None:
    with subprocess.Popen([sys.executable, "-c", _STARTER], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert not run(gone(pid))
        starter.kill()
    run(eventually(lambda: gone(pid), "the worker is gone"))


def test_a_run_that_waited_for_one_that_hung_does_not_blame_its_validators(place: Path) -> None:
    async def both() -> tuple[ValidationReport, ValidationReport]:
        async with ValidatorPool(LIMITS) as pool:
            hanging = asyncio.create_task(pool.run(CANDIDATE, allowed("t-sleeps"), 1.0))
            await asyncio.sleep(0)
            return await pool.run(CANDIDATE, allowed("t-prints"), 1.0), await hanging

    waited, hung = run(both())
    assert [each.outcome for each in hung.runs] == [Outcome.TIMED_OUT]
    assert [each.outcome for each in waited.runs] == [Outcome.COMPLETED]
