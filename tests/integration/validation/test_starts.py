"""Workers that the system refuses: an error at once, and all is well when it gives again."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAD = """
import asyncio, os, resource, sys
from bps.core.errors import PluginError
from bps.validation.pool import START_AGAIN_S, ValidatorPool
from bps.validation.report import Allowed, CandidateText

CANDIDATE = CandidateText(None, {}, "a: 1", {})
ASKED = [Allowed("references", {})]
SOFT, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)

def leave(free):
    lowest = os.dup(0)
    os.close(lowest)
    used = max(map(int, os.listdir("/proc/self/fd")))
    taken = [os.dup(0) for _ in range(used + 1 - len(os.listdir("/proc/self/fd")) + 1)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken + [used]) + 1 + free, HARD))
    return taken

def give_back(taken):
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, HARD))
    for each in taken:
        os.close(each)

def descriptors():
    return len(os.listdir("/proc/self/fd"))

async def ask(pool):
    return await asyncio.wait_for(pool.run(CANDIDATE, ASKED, 20), 30)
"""

_ALONE = """
async def main():
    async with ValidatorPool(size=1) as pool:
        before = descriptors()
        taken = leave(int(sys.argv[1]))
        try:
            await ask(pool)
        except PluginError as error:
            print(error.message)
        give_back(taken)
        assert descriptors() == before, (descriptors(), before)
        print((await ask(pool)).runs[0].outcome.value)

asyncio.run(main())
"""

_BESIDE_ANOTHER = """
async def main():
    async with ValidatorPool(size=2) as pool:
        await ask(pool)
        taken = leave(0)
        await asyncio.gather(*(ask(pool) for _ in range(8)))
        print(len(pool.pids))
        give_back(taken)
        await asyncio.sleep(START_AGAIN_S)
        while len(pool.pids) < 2:
            await asyncio.gather(*(ask(pool) for _ in range(8)))
        print(len(pool.pids))

asyncio.run(main())
"""

_NEVER_BEGINS = """
async def main():
    real, sys.executable = sys.executable, "/bin/false"
    async with ValidatorPool(size=2) as pool:
        runs = await asyncio.gather(*(ask(pool) for _ in range(3)), return_exceptions=True)
        print([type(each).__name__ for each in runs])
        sys.executable = real
        print((await ask(pool)).runs[0].outcome.value)

asyncio.run(main())
"""


def said(script: str, *arguments: str) -> list[str]:
    """What a process of its own prints: its limits and what it leaks are nobody else's."""
    command = [sys.executable, "-X", "dev", "-c", _HEAD + script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("free", range(6))
def test_without_descriptors_it_is_refused_at_once_and_works_when_there_are_some(
    free: int,
) -> None:
    refused = "The process for validators cannot be started: Too many open files."
    assert said(_ALONE, str(free)) == [refused, "completed"]


def test_a_second_worker_that_was_refused_is_started_later() -> None:
    assert said(_BESIDE_ANOTHER) == ["1", "2"]


def test_workers_that_never_begin_are_not_started_for_ever() -> None:
    assert said(_NEVER_BEGINS) == [str(["PluginError"] * 3), "completed"]
