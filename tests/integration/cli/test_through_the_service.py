"""A user with a URL and a token only, and a service that is stopped and started again."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from bps.bootstrap import embedded_etcd
from tests.asynchronous import run
from tests.cluster.free_ports import free_ports
from tests.integration.cli.console import DEADLINE_S, environment, lines_until

BPS = (sys.executable, "-m", "bps.cli")
_READY = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def service(env: dict[str, str], port: int) -> Iterator[None]:
    """`bps serve` on `port`, told to stop at the end; it then has exited 0."""
    process = subprocess.Popen(
        (*BPS, "serve", "--port", str(port)), env=env, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        while not _READY.search(line := process.stderr.readline()):
            assert line, "it ended"
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0


def bps(env: dict[str, str], *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        (*BPS, *arguments),
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, (arguments, done)
    assert "Traceback" not in done.stderr
    return done.stdout


@asynccontextmanager
async def users(home: Path) -> AsyncIterator[tuple[dict[str, str], dict[str, str]]]:
    """Variables of who runs the service, and of a supervisor who knows nothing of etcd."""
    async with embedded_etcd(temporary=True) as etcd:
        runs = {**environment([etcd.endpoint]), "HOME": str(home)}
        user = {name: value for name, value in runs.items() if not name.startswith("BPS_")}
        workspace = str(home / "workspace")
        yield runs, {**user, "BPS_CONFIG": str(home / "config.toml"), "BPS_WORKSPACE": workspace}


def lived(runs: dict[str, str], user: dict[str, str], home: Path) -> list[str]:
    """What a subscriber saw of a plan whose service was restarted in the middle of its life."""
    bps(runs, "init", "-o", "json")
    token = bps(runs, "token", "create", "supervisor-1", "--role", "supervisor", "-o", "json")
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    bps(user, "context", "add", "here", "--url", url, "--token-stdin", stdin=token)
    with service(runs, port):
        bps(user, "plan", "register", "EP-1", "docs/samples/checkout-service.yaml")
        cause = ("--trace-id", "trace-1", "--fingerprint", "slow")
        opened = json.loads(bps(user, "branch", "open", "EP-1", *cause, "-o", "json"))
        follower = subprocess.Popen(
            (*BPS, "events", "EP-1", "--follow", "-o", "json"),
            env=user,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        seen = lines_until(follower, 2)
    fork = home / "workspace" / "EP-1" / opened["rr_plan"] / "blueprint_v1.yaml"
    fork.write_text(fork.read_text() + "# repaired\n")
    with service(runs, port):
        bps(user, "branch", "submit", "EP-1", opened["rr_plan"])
        bps(user, "promote", "EP-1", "--op-id", "promote-1")
        seen += lines_until(follower, 2)
        bps(user, "replay")
        follower.send_signal(signal.SIGINT)
        rest, said = follower.communicate(timeout=DEADLINE_S)
    assert (follower.returncode, rest, said) == (130, "", "")
    again = bps(runs, "log", "EP-1", "-o", "json")
    assert [json.loads(line)["event"] for line in seen] == json.loads(again)
    canonical = home / "workspace" / "EP-1" / "canonical_blueprint.yaml"
    assert canonical.read_text() == fork.read_text()
    return [json.loads(line)["id"] for line in seen]


@pytest.mark.timeout(180)
def test_a_plan_lives_through_a_restart_of_the_service(tmp_path: Path) -> None:
    async def story() -> None:
        async with users(tmp_path) as (runs, user):
            seen = await asyncio.to_thread(lived, runs, user, tmp_path)
        assert seen == ["1", "2", "3", "4"]

    run(story(), deadline_s=150)
