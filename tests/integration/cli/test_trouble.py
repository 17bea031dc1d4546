"""No etcd, another leader, a reader that went away: named, exit 75, and what to do next."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bps.clock import SystemClock
from bps.leadership.election import Leadership
from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous
from tests.integration.cli.console import Console, environment
from tests.unit.cli.invoke import NOWHERE

pytestmark = pytest.mark.cluster

MAX_WAIT_S = 4.0
"""Of a command where nothing takes connections: 1 s, on a machine that does other things too."""
BPS = str(Path(sys.executable).with_name("bps"))

COMMANDS = [
    ("init",),
    ("plan", "register", "EP-1", "-"),
    ("plan", "show", "EP-1"),
    ("plan", "list"),
    ("branch", "open", "EP-1", "--trace-id=T", "--fingerprint=F"),
    ("branch", "submit", "EP-1", "1a2b3c4d", "-"),
    ("branch", "fail", "EP-1", "1a2b3c4d", "--reason=x"),
    ("branch", "rebase", "EP-1", "1a2b3c4d"),
    ("branch", "show", "EP-1", "1a2b3c4d"),
    ("branch", "list", "EP-1"),
    ("promote", "EP-1"),
    ("promote", "EP-1", "--dry-run"),
    ("revert", "EP-1", "--to=1"),
    ("canonical", "EP-1"),
    ("diff", "EP-1", "1", "2"),
    ("log", "EP-1"),
    ("log", "EP-1", "--follow"),
    ("verify",),
    ("replay", "EP-1"),
    ("sync", "EP-1"),
]


async def bps(*arguments: str, env: dict[str, str]) -> tuple[int, str, str, float]:
    """Exit code, both streams, and how long it took."""
    started_s = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bps.cli", *arguments),
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate(b"name: x\n")
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode(), time.monotonic() - started_s


@asynchronous
async def test_without_etcd_every_command_exits_75(tmp_path: Path) -> None:
    env = environment([NOWHERE], tmp_path)
    # The time counts for two at once: a reader and a writer, on two cores.
    alone = await asyncio.gather(*(bps(*COMMANDS[i], env=env) for i in (2, 10)))
    rest = [command for i, command in enumerate(COMMANDS) if i not in {2, 10}]
    ended = await asyncio.gather(*(bps(*command, env=env) for command in rest))
    for code, out, err, _ in (*alone, *ended):
        assert (code, out) == (75, ""), err
        assert "[STORE_UNAVAILABLE]\nnext: Check that etcd runs" in err
        assert NOWHERE in err
        assert "Traceback" not in err
    assert max(took_s for *_, took_s in alone) < MAX_WAIT_S
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing was projected


@asynchronous
async def test_doctor_says_what_does_not_answer() -> None:
    code, out, err, took_s = await bps("doctor", env=environment([NOWHERE]))
    assert (code, err) == (75, "")
    assert "members  failed  0 of 1 answer" in out
    assert "Restore the quorum." in out
    assert took_s < 2 * MAX_WAIT_S


@asynchronous
async def test_another_leader_is_named(console: Console) -> None:
    env = {**console.env, "BPS_CAMPAIGN_S": "1"}
    # Nothing but the store's own lease would end this term before the test does.
    async with EtcdStore(console.cluster.endpoints) as store:
        async with Leadership(store, SystemClock(), "sidecar-7", ttl_s=60) as other:
            await other.campaign(10)
            code, out, err, _ = await bps("init", env=env)
            read = await bps("plan", "list", env=env)
        after = await bps("init", env=env)
    assert (code, out) == (75, "")
    assert "sidecar-7 leads" in err
    assert "[NOT_LEADER]\nnext: Wait until the leader resigns" in err
    assert (read[0], after[0]) == (0, 0), (read, after)


def test_a_reader_that_went_away_is_no_error() -> None:
    for arguments in ("explain", "explain -o json"):
        pipe = f"{BPS} {arguments} | true; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ("bash", "-c", pipe), capture_output=True, check=False, env=environment([NOWHERE])
        )
        assert (done.returncode, done.stderr) == (0, b""), arguments


def test_output_that_cannot_be_written_is() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            (BPS, "explain"), stdout=full, stderr=subprocess.PIPE, check=False, env=dict(os.environ)
        )
    assert done.returncode == 75
    assert b"No space left on device. [RESULT_NOT_SHOWN]\nnext: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_shell_completes_commands_and_options() -> None:
    env = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = subprocess.run(
        (BPS, "--show-completion", "bash"), capture_output=True, text=True, check=True, env=env
    ).stdout
    assert "_BPS_COMPLETE=complete_bash" in script
    # Bash itself loads the script and asks, as it does for a user.
    asked = f"""
        PATH={Path(BPS).parent}:$PATH
        {script}
        COMP_WORDS=(bps branch re) COMP_CWORD=2; _bps_completion bps
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(("bash", "-c", asked), capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["rebase"], done
