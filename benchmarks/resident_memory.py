"""`python -m benchmarks.resident_memory ENDPOINTS PLAN verify|replay`: peak memory of one run.

A process of its own, so that the peak is that of this work alone. Linux only.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bps.replay.replay import replay
from bps.replay.verify import verify
from bps.store.etcd import EtcdStore


async def prove(endpoints: list[str], plan: str, act: str) -> None:
    """`verify` or `replay` one plan."""
    async with EtcdStore(endpoints) as store:
        await (verify if act == "verify" else replay)(store, plan)


def peak_kib() -> int:
    """Peak resident set of this process so far, in KiB: the kernel's own record of it."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


if __name__ == "__main__":
    asyncio.run(prove(sys.argv[1].split(","), sys.argv[2], sys.argv[3]))
    print(peak_kib())
