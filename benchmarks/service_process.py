"""`bps serve` as a process of its own, and what the kernel says of its memory and CPU time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

START_S = 30.0
STOP_S = 10.0
LEASE_TTL_S = 5
_READY = re.compile(r"http://127\.0\.0\.1:(\d+)")
_CONFIG = """
[etcd]
endpoints = [{endpoints}]
[listen]
port = 0
[sidecar]
name = "{name}"
lease_ttl_s = {ttl_s}
mirror_dir = "mirror"
signing_key_file = "signing-key"
[limits]
requests_per_s = 1_000_000
burst = 1_000_000
[log]
level = "warning"
"""


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """A running service. `start_s`: from the start of the process until it said that it serves."""

    process: subprocess.Popen[str]
    port: int
    start_s: float

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> str:
        """The state of the process as the kernel names it; T is stopped."""
        return _stat(self.process.pid)[0]

    @property
    def rss_kib(self) -> int:
        """Resident set now."""
        return _rss_kib(self.process.pid)

    @property
    def children_rss_kib(self) -> int:
        """Resident sets now of the processes that it started, together."""
        return sum(map(_rss_kib, self._children()))

    @property
    def cpu_s(self) -> float:
        """CPU time of the process so far, its threads and the kernel's work for it included."""
        return _cpu_s(self.process.pid)

    @property
    def children_cpu_s(self) -> float:
        """The same of the processes that it started and that still run."""
        return sum(map(_cpu_s, self._children()))

    def _children(self) -> list[int]:
        pid = self.process.pid
        threads = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for each in threads for child in (each / "children").read_text().split()]


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process, from the third field on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu_s(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


@contextmanager
def service(
    endpoints: Sequence[str], state: Path | None = None, name: str = "bench-service"
) -> Iterator[ServiceProcess]:
    """Start a service on `endpoints`; it drains and ends at the end.

    `state` is where its mirror and its key are kept; a new directory where it is None.
    """
    with TemporaryDirectory() as temporary:
        home = state or Path(temporary)
        config = home / "bps.toml"
        listed = ", ".join(f'"{each}"' for each in endpoints)
        config.write_text(_CONFIG.format(endpoints=listed, name=name, ttl_s=LEASE_TTL_S))
        env = {**os.environ, "BPS_ALLOW_OLD_ETCD": "1", "XDG_STATE_HOME": str(home)}
        started = perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "bps.cli", "serve", "--config", str(config)],
            stderr=subprocess.PIPE,
            env=env,
            text=True,
        )
        try:
            yield ServiceProcess(process, _port(process), perf_counter() - started)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            finally:
                process.kill()
                process.wait()
                if process.stderr is not None:
                    process.stderr.close()


def _port(process: subprocess.Popen[str]) -> int:
    """Read standard error until the line with the URL."""
    if process.stderr is None:
        msg = "standard error is not piped"
        raise RuntimeError(msg)
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if listening := _READY.search(line):
            return int(listening[1])
    msg = f"the service ended: {''.join(said)[-2_000:]}"
    raise RuntimeError(msg)
