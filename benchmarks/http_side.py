"""Promotions and conditional reads as they are asked of one running service over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from benchmarks import http_load
from benchmarks.service_process import ServiceProcess
from bps.core.ids import branch_id_of
from bps.plans.blob import pack

_SETUP_IN_FLIGHT = 32
_YAML = ("Content-Type", "application/yaml")
_JSON = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class PlanTexts:
    """A plan, the blueprint that it is registered with, and the one that is promoted."""

    plan: str
    text: bytes
    fix: bytes


class Side:
    """What is asked of one running service."""

    def __init__(self, serving: ServiceProcess, token: str) -> None:
        self._serving = serving
        self._token = ("Authorization", f"Bearer {token}")

    async def promotions(self, plans: Sequence[PlanTexts], in_flight: int) -> float:
        """Promotions a second, of plans that this brings so far."""
        await self.succeed(plans)
        return await self.promote(plans, in_flight)

    async def promote(self, plans: Sequence[PlanTexts], in_flight: int) -> float:
        """Promotions a second, of plans whose branch has succeeded."""
        promoted = [self._promotion(each) for each in plans]
        return await http_load.rate(self._serving.port, promoted, in_flight, 201)

    async def succeed(self, plans: Sequence[PlanTexts]) -> None:
        """Register each plan, open a branch, submit its fix."""
        port, send = self._serving.port, http_load.rate
        register = [
            self._write("PUT", f"/v1/plans/{each.plan}?initiative=default", _YAML, each.text)
            for each in plans
        ]
        opened = [
            self._write(
                "POST",
                f"/v1/plans/{each.plan}/branches",
                _JSON,
                b'{"trace_id":"%s","fingerprint":"sha256:payment-timeout"}' % each.plan.encode(),
            )
            for each in plans
        ]
        submitted = [
            self._write(
                "POST",
                f"/v1/plans/{each.plan}/branches/{branch_id_of(each.plan)}/submission",
                _YAML,
                each.fix,
            )
            for each in plans
        ]
        await send(port, register, _SETUP_IN_FLIGHT, 201)
        await send(port, opened, _SETUP_IN_FLIGHT, 201)
        await send(port, submitted, _SETUP_IN_FLIGHT, 200)

    async def promotion_times_s(self, plans: Sequence[PlanTexts]) -> list[float]:
        """How long each promotion takes, one after the other, of plans that this brings so far."""
        await self.succeed(plans)
        connection = await http_load.Connection.open(self._serving.port)
        times_s: list[float] = []
        for each in plans:
            started = perf_counter()
            await connection.send(self._promotion(each), 201)
            times_s.append(perf_counter() - started)
        connection.close()
        return times_s

    async def conditional_reads(
        self, promoted: PlanTexts, count: int, readers: int
    ) -> tuple[float, float]:
        """304s a second of wall time, and a second of the service's CPU time."""
        path = f"/v1/plans/{promoted.plan}/canonical"
        connection = await http_load.Connection.open(self._serving.port)
        etag = pack(promoted.fix).digest
        headers = [self._token, ("If-None-Match", f'"2-{etag}"')]
        read = http_load.request("GET", path, headers)
        await connection.send(read, 304)
        connection.close()
        before_s = self._serving.cpu_s
        rate = await http_load.rate(self._serving.port, [read] * count, readers, 304)
        return rate, count / (self._serving.cpu_s - before_s)

    def _promotion(self, each: PlanTexts) -> bytes:
        body = b'{"branches":["%s"]}' % branch_id_of(each.plan).encode()
        return self._write("POST", f"/v1/plans/{each.plan}/promotions", _JSON, body)

    def _write(self, method: str, path: str, kind: tuple[str, str], body: bytes) -> bytes:
        key = ("Idempotency-Key", path.partition("?")[0].replace("/", ".").strip("."))
        return http_load.request(method, path, [self._token, key, kind], body)
