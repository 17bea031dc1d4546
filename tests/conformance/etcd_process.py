"""One etcd process of our own, for tests that need special flags or nobody else's writes."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bps.store.etcd_program import find_etcd

_START_DEADLINE_S = 20.0


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def etcd_process(
    directory: Path,
    flags: Sequence[str] = (),
    *,
    scheme: str = "http",
    program: Path | None = None,
) -> Iterator[str]:
    """A single member with its data in `directory`; yields `127.0.0.1:port`, healthy.

    `program` is the embedded default's unless given.

    With `scheme` https only the port is waited for, as /health may need a client certificate.
    """
    client, peer = free_port(), free_port()
    url, peer_url = f"{scheme}://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    command = [
        str(program or find_etcd()),
        f"--data-dir={directory / 'data'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
        "--unsafe-no-fsync",
        "--log-level=error",
        *flags,
    ]
    with (
        (directory / "etcd.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            _await_start(process, client, health=scheme == "http", log=directory / "etcd.log")
            yield f"127.0.0.1:{client}"
        finally:
            process.send_signal(signal.SIGKILL)


def _await_start(process: subprocess.Popen[bytes], port: int, *, health: bool, log: Path) -> None:
    end = time.monotonic() + _START_DEADLINE_S
    while not (_is_healthy(port) if health else _listens(port)):
        if process.poll() is not None or time.monotonic() > end:
            msg = f"etcd did not start: {log.read_text()[-2000:]}"
            raise AssertionError(msg)
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/health")
            with connection.getresponse() as response:
                return response.status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
