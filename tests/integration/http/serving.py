"""`bps serve` as a process of its own, on an etcd that outlives it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bps.store.embedded_etcd import EmbeddedEtcd

START_DEADLINE_S = 20.0
END_DEADLINE_S = 30.0


@dataclass(slots=True)
class Serving:
    """The process; `lines` are its log so far, and all of it once it has ended."""

    process: subprocess.Popen[str]
    started_s: float
    lines: list[dict[str, Any]] = field(default_factory=list)
    ready_after_s: float = 0.0

    @property
    def url(self) -> str:
        found: str = self.lines[-1]["url"]
        return found

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it; the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        assert self.process.stderr is not None
        rest = self.process.stderr.read()
        self.lines += [json.loads(line) for line in rest.splitlines()]
        return self.process.wait(END_DEADLINE_S)


def bps(
    *arguments: str, env: Mapping[str, str], check: bool = True
) -> subprocess.CompletedProcess[str]:
    """A command, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bps.cli", *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=check,
    )


def environment(directory: Path, endpoint: str | None = None) -> dict[str, str]:
    """Nothing of the user's own is touched."""
    env = {
        "XDG_STATE_HOME": str(directory / "state"),
        "XDG_CONFIG_HOME": str(directory / "config"),
        "BPS_ETCD_DATA_DIR": str(directory / "etcd"),
        # The one for tests may be of any release.
        "BPS_ALLOW_OLD_ETCD": "1",
    }
    return env if endpoint is None else {**env, "BPS_ETCD_ENDPOINTS": endpoint}


@contextmanager
def started(env: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`bps serve` on a free port; killed at the end where it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bps.cli", "serve", "--port", "0", *arguments],
        env={**os.environ, **env},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(END_DEADLINE_S)
        process.stderr.close()


@contextmanager
def serving(*arguments: str, env: Mapping[str, str]) -> Iterator[Serving]:
    """The same once it is ready."""
    started_s = time.monotonic()
    with started(env, *arguments) as process:
        found = Serving(process, started_s)
        assert process.stderr is not None
        while not found.lines or found.lines[-1]["event"] != "ready":
            line = process.stderr.readline()
            assert line, f"it ended before it was ready: {found.lines}"
            assert line.startswith("{"), line
            found.lines.append(json.loads(line))
        found.ready_after_s = time.monotonic() - started_s
        yield found


@contextmanager
def etcd_for_services() -> Iterator[str]:
    """The endpoint of an etcd that outlives the services on it."""
    with asyncio.Runner() as runner:
        embedded = EmbeddedEtcd(temporary=True)
        runner.run(embedded.__aenter__())
        try:
            yield embedded.endpoint
        finally:
            runner.run(embedded.__aexit__(None, None, None))
