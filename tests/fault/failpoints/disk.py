"""A member's disk: slow, or failing, by injecting into its system calls."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, Need, Part

_DELAY_US = 400_000
_DETACH_S = 10.0
_WAL = "/member/wal/"


class _Injected(Fault):
    part = Part.ETCD
    needs = frozenset({Need.CONTAINERS, Need.STRACE})
    injection: str
    marker: str

    async def inject(self) -> None:
        self.victim = await self.etcd.leader()
        pid = await self.etcd.does(lambda: self.etcd.member(self.victim).pid)
        self.log = self.scene.directory / f"strace-{pid}-{self.source.randrange(10**6)}"
        self.tracer = await asyncio.create_subprocess_exec(
            "strace",
            *("-f", "-y", "-p", str(pid), "-o", str(self.log)),
            *("-e", "trace=fdatasync", "-e", f"inject=fdatasync:{self.injection}"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    def _hits(self) -> list[str]:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return [line for line in text.splitlines() if self.marker in line]

    async def _await_hits(self) -> int:
        async def some() -> bool:
            return bool(self._hits())

        await until(some, f"strace says {self.marker}", deadline_s=6.0)
        return len(self._hits())

    async def heal(self) -> None:
        # It ends by itself with the process that it traces.
        with suppress(ProcessLookupError):
            self.tracer.send_signal(signal.SIGINT)
        async with asyncio.timeout(_DETACH_S):
            await self.tracer.wait()
        await self.etcd.heal(self.victim)


class SlowDisk(_Injected):
    """Every sync of the etcd leader takes 400 ms longer."""

    name = "slow fsync of the etcd leader"
    lasts_s = (2.0, 4.0)
    injection = f"delay_enter={_DELAY_US}"
    marker = "(DELAYED)"

    async def evidence(self) -> str:
        return f"{await self._await_hits()} syncs of {self._name()} delayed"

    def _name(self) -> str:
        return self.etcd.member(self.victim).name


class BrokenDisk(_Injected):
    """A sync of the etcd leader fails with EIO; etcd ends, as it must."""

    name = "EIO on the disk of the etcd leader"
    lasts_s = (1.0, 3.0)
    injection = "error=EIO"
    marker = "(INJECTED)"

    async def evidence(self) -> str:
        await self._await_hits()
        member = self.etcd.member(self.victim)

        async def ended() -> bool:
            return await self.etcd.is_faulty(self.victim)

        await until(ended, f"{member.name} ended", deadline_s=5.0)
        in_wal = [line for line in self._hits() if _WAL in line]
        return f"{len(self._hits())} syncs failed with EIO, {len(in_wal)} in the WAL; it ended"
