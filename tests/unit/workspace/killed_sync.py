"""A program that is killed with SIGKILL at its Nth rename: the second sync of a changed plan.

`scenario` is the same every time, to the byte, so that others know what it would have written.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.unit.workspace.plan_under_work import BASE, PlanUnderWork, registered_plan


async def scenario(work: PlanUnderWork) -> None:
    """One sync with the RR-plan open; then it is promoted, which changes all four files."""
    rr = await work.open("F1")
    await work.sync()
    await work.submit(rr, BASE + b"  - id: T-2\n")
    await work.promote(rr)


async def main(root: Path, fatal_rename: int) -> None:
    """Run the scenario; die at the rename number `fatal_rename` of the sync after it."""
    renames = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal renames
        renames += event == "os.rename"
        if event == "os.rename" and renames == fatal_rename:
            os.kill(os.getpid(), signal.SIGKILL)

    async with registered_plan(root) as work:
        await scenario(work)
        sys.addaudithook(count)
        await work.sync()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
