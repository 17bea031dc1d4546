"""A service in a process of its own, which can be killed: `... service_process ENDPOINT,...`.

Prints its URL; ends with its standard input. It gives way to a leader that is there.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bps.clock import SystemClock
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.server import HttpServer, Listen
from bps.http.service import Service
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.etcd import EtcdStore
from tests.checkout import ROOT
from tests.integration.http.served import EveryRole


async def _serve(endpoints: list[str]) -> None:
    clock, limits = SystemClock(), Limits()
    settings = SidecarSettings(f"service-{os.getpid()}", campaign_s=0.2)
    async with EtcdStore(endpoints) as store, Sidecar(store, clock, settings) as sidecar:
        app = create_app(Service(sidecar, EveryRole(), limits))
        async with HttpServer(app, Listen(port=0), limits) as server:
            sys.stdout.write(server.url + "\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def service(*endpoints: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A started service: its URL, and its process, which is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.http.service_process", ",".join(endpoints)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            url = (await process.stdout.readline()).decode().strip()
        assert url.startswith("http://"), "the service did not start"
        yield url, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1].split(",")))
