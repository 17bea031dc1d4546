"""One local etcd process for a laptop: found, started, waited for, and never left behind.

Directory layout, mode 0700: `data/` (etcd's own), `lock` (flock, held while an etcd may run on
the data), `endpoint.json` ({endpoint, pid, name} of the running etcd), `etcd.log` (this start's
log). etcd listens on a free loopback port without authentication: any local user can reach it, so
it is for development; production takes a cluster with TLS (design, "etcd").
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import platformdirs

from bps.core.errors import ConfigError, Unavailable
from bps.store.etcd_program import find_etcd
from bps.store.parent_bound_exec import parent_bound_command
from bps.store.regular_file import open_regular
from bps.store.running_etcd import forget_running, is_healthy, read_running, write_running

_HOST = "127.0.0.1"
_POLL_S = 0.02
_STOP_DEADLINE_S = 5.0
_PORT_ATTEMPTS = 5
_LOG_LINES_SHOWN = 15
_LOG_LINE_SHOWN = 300
_LOG_BYTES_READ = 65_536
# A member's identity; nobody connects to it, since a single member has no peers.
_PEER_URL = f"http://{_HOST}:2380"


class EmbeddedEtcd:
    """Async context manager: a single-member etcd, started or, if one runs already, joined.

    Enter it from a thread that outlives it, normally the main one (see `parent_bound_exec`).

    Attributes:
        endpoint: `127.0.0.1:port` for clients.
        pid: process id of etcd (of its watchdog where the system has no parent-death signal).
        directory: where its data are.
        attached: the etcd belongs to another process of this user, and is not stopped at exit;
            it ends with that process.
    """

    endpoint: str
    pid: int
    directory: Path
    attached: bool

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        temporary: bool = False,
        start_deadline_s: float = 10.0,
        lock_deadline_s: float = 10.0,
    ) -> None:
        """Remembers what to start; nothing happens before `async with`.

        Args:
            data_dir: its directory; the user's state directory by default.
            temporary: use a new directory and delete it at exit; excludes `data_dir`.
            start_deadline_s: seconds for etcd to become healthy.
            lock_deadline_s: seconds to wait while another process starts or stops its etcd here.
        """
        if temporary and data_dir is not None:
            raise ConfigError("An embedded etcd is either temporary or has a data directory.")
        self._data_dir = data_dir
        self._temporary = temporary
        self._start_deadline_s = start_deadline_s
        self._lock_deadline_s = lock_deadline_s
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Starts or attaches.

        Raises:
            ConfigError: no etcd program, or the directory cannot be used.
            Unavailable: etcd did not become healthy, or the directory stayed locked.
        """
        async with AsyncExitStack() as stack:
            self.directory, lock = self._open_directory(stack)
            with _named(self.directory):
                running = await self._lock_or_attach(lock)
                self.attached = running is not None
                self.endpoint, self.pid = running or await self._start(lock, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stops etcd (SIGTERM, after 5 s SIGKILL) unless attached; deletes a temporary one."""
        await self._stack.aclose()

    def _open_directory(self, stack: AsyncExitStack) -> tuple[Path, IO[bytes]]:
        with _named(self._data_dir):
            if self._temporary:
                directory = Path(tempfile.mkdtemp(prefix="bps-etcd-"))
                stack.callback(shutil.rmtree, directory)
            else:
                directory = (self._data_dir or _state_directory()).absolute()
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = directory.stat()
            if found.st_uid != os.geteuid():
                raise ConfigError(
                    f"The directory for etcd's data, {directory}, belongs to another user "
                    f"(uid {found.st_uid}); name one of your own in BPS_ETCD_DATA_DIR."
                )
            if found.st_mode & 0o077:
                raise ConfigError(
                    "Other users can enter the directory for etcd's data; "
                    f"run: chmod 700 {directory}"
                )
            lock = stack.enter_context(open_regular(directory / "lock", os.O_RDWR | os.O_CREAT))
        return directory, lock

    async def _lock_or_attach(self, lock: IO[bytes]) -> tuple[str, int] | None:
        """Returns None with the lock held, or endpoint and pid of the etcd whose owner holds it."""
        deadline = time.monotonic() + self._lock_deadline_s
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return None
            running = read_running(self.directory)
            if running is not None and await is_healthy(running[0], name=running[2]):
                return running[:2]
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Another process has locked {self.directory} for {self._lock_deadline_s:g} s "
                    "and its etcd does not answer; end that process or use another directory.",
                    directory=str(self.directory),
                )
            await asyncio.sleep(_POLL_S)

    async def _start(self, lock: IO[bytes], stack: AsyncExitStack) -> tuple[str, int]:
        forget_running(self.directory)
        program = find_etcd()
        deadline = time.monotonic() + self._start_deadline_s
        # Whoever joins knows by the name that the port is this etcd's and not another one's.
        name = f"embedded-{secrets.token_hex(8)}"
        for _ in range(_PORT_ATTEMPTS):
            endpoint = f"{_HOST}:{_free_port()}"
            process = self._spawn(program, endpoint, name, lock)
            async with AsyncExitStack() as attempt:
                attempt.push_async_callback(_stop, process)
                if await _wait_healthy(process, endpoint, deadline):
                    stack.push_async_exit(attempt.pop_all())
                    stack.callback(forget_running, self.directory)
                    write_running(self.directory, endpoint, process.pid, name)
                    return endpoint, process.pid
                status = process.poll()
            log_tail = self._log_tail()
            # Another process can take the free port before etcd does: then, and only then, again.
            if status is None or "address already in use" not in log_tail:
                break
        how = "did not become healthy in time" if status is None else f"ended with status {status}"
        raise Unavailable(
            f"The embedded etcd {how}. Its log, {self.directory / 'etcd.log'}, ends:\n{log_tail}",
            program=str(program),
            directory=str(self.directory),
        )

    def _spawn(
        self, program: Path, endpoint: str, name: str, lock: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        arguments = [
            str(program),
            f"--name={name}",
            f"--data-dir={self.directory / 'data'}",
            f"--listen-client-urls=http://{endpoint}",
            f"--advertise-client-urls=http://{endpoint}",
            f"--listen-peer-urls=http://{_HOST}:0",
            f"--initial-advertise-peer-urls={_PEER_URL}",
            f"--initial-cluster={name}={_PEER_URL}",
            "--heartbeat-interval=50",
            "--election-timeout=500",
            f"--quota-backend-bytes={8 * 1024**3}",
            "--auto-compaction-mode=periodic",
            "--auto-compaction-retention=1h",
            "--log-level=warn",
        ]
        # etcd takes every flag from ETCD_* too; the user's are meant for another etcd.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ETCD_")}
        with open_regular(self.directory / "etcd.log", os.O_RDWR | os.O_CREAT) as log:
            log.truncate()
            return subprocess.Popen(
                parent_bound_command(arguments),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                # etcd holds the lock too, so that it outlasts a killed parent until etcd is gone.
                pass_fds=(lock.fileno(),),
                # Ctrl-C in the terminal is for the parent, which then stops etcd in order.
                start_new_session=True,
            )

    def _log_tail(self) -> str:
        """The end of etcd's log; longer lines end in `...`."""
        with open_regular(self.directory / "etcd.log", os.O_RDONLY) as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - _LOG_BYTES_READ))
            lines = log.read().decode(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        shown = _LOG_LINE_SHOWN
        return "\n".join(line[:shown] + "..." * (len(line) > shown) for line in lines)


@contextmanager
def _named(directory: Path | None) -> Iterator[None]:
    """What the system refuses in the directory is an error of the set-up."""
    try:
        yield
    except OSError as error:
        named = "" if directory is None else f", {directory},"
        raise ConfigError(
            f"The directory for etcd's data{named} cannot be used: {error}; "
            "name another one in BPS_ETCD_DATA_DIR, or correct its owner and permissions."
        ) from error


def _state_directory() -> Path:
    """Of this user; raises ConfigError where the system knows none."""
    try:
        directory = platformdirs.user_state_path("bps") / "etcd"
    except RuntimeError:
        directory = Path()
    # Without a home the system leaves `~` as it is.
    if not directory.is_absolute():
        raise ConfigError(
            "This user has no home directory for etcd's data: name one in BPS_ETCD_DATA_DIR."
        )
    return directory


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def _wait_healthy(process: subprocess.Popen[bytes], endpoint: str, deadline: float) -> bool:
    while process.poll() is None and time.monotonic() < deadline:
        if await is_healthy(endpoint):
            return True
        await asyncio.sleep(_POLL_S)
    return False


async def _stop(process: subprocess.Popen[bytes]) -> None:
    # The group, since the starter of `parent_bound_exec` may be a process of its own.
    with process:
        try:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_DEADLINE_S
            while time.monotonic() < deadline:
                if process.poll() is not None:
                    break
                await asyncio.sleep(_POLL_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
