"""Faults between one sidecar and etcd: cut off, slow, reset."""

from __future__ import annotations

import asyncio
from abc import abstractmethod

from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, Part
from tests.fault.sidecar_process import LEASE_TTL_S

_RESET_EACH_S = 0.3
_DELAY_S = 0.15


class _Wire(Fault):
    part = Part.SIDECAR
    counted: str

    async def inject(self) -> None:
        self.sidecar = await self.scene.leading()
        self.proxy = self.sidecar.proxy
        self.before = self.proxy.counts[self.counted]
        self._break()

    @abstractmethod
    def _break(self) -> None:
        """Set the proxy to it."""

    async def evidence(self) -> str:
        def counted() -> int:
            return self.proxy.counts[self.counted] - self.before

        async def some() -> bool:
            return counted() > 0

        await until(some, f"{self.counted} of {self.sidecar.name}", deadline_s=5.0)
        return f"{self.sidecar.name}: {counted()} {self.counted}"

    async def heal(self) -> None:
        self.proxy.calm()


class SidecarCutOff(_Wire):
    """The leading sidecar reaches no member, for longer than its lease."""

    name = "leading sidecar cut off from etcd"
    counted = "stalled"
    lasts_s = (LEASE_TTL_S + 0.5, LEASE_TTL_S + 1.5)
    weight = 4

    def _break(self) -> None:
        self.proxy.stalled = True

    async def evidence(self) -> str:
        async def deposed() -> bool:
            return not await self.sidecar.leads()

        await until(deposed, f"{self.sidecar.name} leads no more", deadline_s=5.0)
        return f"{await super().evidence()}, leads no more"


class SlowWire(_Wire):
    """Every chunk takes 150 ms, either way."""

    name = "slow wire between sidecar and etcd"
    counted = "delayed"

    def _break(self) -> None:
        self.proxy.delay_s = _DELAY_S


class ConnectionReset(_Wire):
    """All connections to etcd are reset, again and again; what was under way is ambiguous."""

    name = "connections to etcd reset"
    counted = "resets"
    weight = 3

    def _break(self) -> None:
        self._resetting = asyncio.create_task(self._reset())

    async def _reset(self) -> None:
        while True:
            self.proxy.reset()
            await asyncio.sleep(_RESET_EACH_S * self.source.uniform(0.5, 1.5))

    async def heal(self) -> None:
        self._resetting.cancel()
        await asyncio.gather(self._resetting, return_exceptions=True)
        await super().heal()
