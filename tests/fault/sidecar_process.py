"""A sidecar as a process of its own, `bps serve`, that reaches etcd through its own proxy."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import httpx

from bps.store.parent_bound_exec import parent_bound_command
from tests.checkout import ROOT
from tests.cluster.free_ports import HOST, free_ports
from tests.cluster.interface import FaultFailedError
from tests.fault.cluster import until
from tests.fault.proxy import FaultyProxy

BUG_VARIABLE = "BPS_PLANTED_BUG"
"""Names the planted bug that every sidecar starts with; for the control of the checks."""
LEASE_TTL_S = 3
_START_S = 30.0
_STOP_S = 10.0
_ASK_S = 0.5
_LOG_BYTES_SHOWN = 2_000
_LEADS = 200
_CONFIG = """
[etcd]
endpoints = [{endpoints}]
allow_old = true
[listen]
port = {port}
[sidecar]
name = "{name}"
lease_ttl_s = {ttl_s}
mirror_dir = "mirror"
signing_key_file = "signing-key"
[limits]
requests_per_s = 1_000_000
burst = 1_000_000
[log]
level = "info"
"""


class SidecarProcess:
    """One sidecar; its name, port, key and mirror stay the same over restarts."""

    def __init__(self, name: str, directory: Path, proxy: FaultyProxy) -> None:
        self.name = name
        self.proxy = proxy
        self.url = ""
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._was_ended = False
        self._client = httpx.AsyncClient(trust_env=False, timeout=_ASK_S)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    @property
    def lives(self) -> bool:
        """Whether the process exists, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def unasked_end(self) -> str:
        """How it ended although nobody ended it, and the end of its log; "" where it did not."""
        if self._process is None or self._was_ended or self.lives:
            return ""
        return f"{self.name} ended by itself ({self._process.returncode}): {self.log_tail()}"

    @property
    def state(self) -> str:
        """The state of the process as the kernel names it; T is stopped, "" is gone."""
        if not self.lives:
            return ""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0]

    def start(self) -> None:
        """Start it, from the thread that lives longest: it dies with that."""
        if not self.url:
            (port,) = free_ports(1)
            self.url = f"http://{HOST}:{port}"
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = int(self.url.rpartition(":")[2])
        config = self._directory / "service.toml"
        endpoints = ", ".join(f'"{each}"' for each in self.proxy.endpoints)
        config.write_text(
            _CONFIG.format(endpoints=endpoints, port=port, name=self.name, ttl_s=LEASE_TTL_S)
        )
        self._was_ended = False
        self._log = self._log or (self._directory / "log").open("ab")
        bug = os.environ.get(BUG_VARIABLE)
        program = ["tests.fault.serve_with_bug", bug] if bug else ["bps.cli"]
        self._process = subprocess.Popen(
            parent_bound_command(
                [sys.executable, "-m", *program, "serve", "--config", str(config)]
            ),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "XDG_STATE_HOME": str(self._directory)},
        )

    async def kill(self) -> None:
        """Kill it with SIGKILL and wait until it is gone."""
        process = self._running()
        self._was_ended = True
        process.kill()
        await asyncio.to_thread(process.wait)

    async def freeze(self) -> None:
        """Stop it with SIGSTOP; it has stopped when this returns."""
        self._running().send_signal(signal.SIGSTOP)

        async def stopped() -> bool:
            return self.state == "T"

        await until(stopped, f"{self.name} is frozen", deadline_s=2.0)

    def thaw(self) -> None:
        """Let it go on."""
        self._running().send_signal(signal.SIGCONT)

    async def ready(self) -> None:
        """Wait until it serves. Raises FaultFailedError with the end of its log."""
        try:
            await until(self._serves, f"{self.name} serves", deadline_s=_START_S)
        except FaultFailedError as error:
            raise FaultFailedError(f"{error}: {self.log_tail()}") from None

    async def leads(self) -> bool:
        """Whether it leads and takes writes, by its own account."""
        answer = await self.ask("/leaderz")
        return answer is not None and answer.status_code == _LEADS

    async def reason(self) -> str | None:
        """Why it is read-only, by its own account; None if it is not, or does not answer."""
        answer = await self.ask("/readyz?verbose")
        return None if answer is None else answer.json().get("reason")

    async def ask(self, path: str) -> httpx.Response | None:
        """GET without a token; None where no answer comes within half a second."""
        try:
            return await self._client.get(f"{self.url}{path}")
        except httpx.HTTPError:
            return None

    async def stop(self) -> None:
        """End it as an operator does; killed where that takes too long."""
        if self._process is not None and self.lives:
            self.thaw()
            self._was_ended = True
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.to_thread(self._process.wait, _STOP_S)
            except subprocess.TimeoutExpired:
                await self.kill()
        await self._client.aclose()
        if self._log is not None:
            self._log.close()
            self._log = None

    def log_tail(self) -> str:
        """The end of its log."""
        text = (self._directory / "log").read_text(errors="replace")
        return text[-_LOG_BYTES_SHOWN:]

    async def _serves(self) -> bool:
        if not self.lives:
            raise FaultFailedError(f"{self.name} ended while it started")
        return await self.ask("/livez") is not None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise FaultFailedError(f"{self.name} was never started")
        return self._process
