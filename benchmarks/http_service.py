"""The service as a process: promotions and conditional reads over HTTP, its start and its memory.

A round is a block of promotions over HTTP, one by a sidecar in this process (its watch, checkpoints
and metrics, without HTTP) and one on a bare write path, each on plans that its own side brought so
far, so that all are warm; ratios are those of neighbouring blocks. The policy allows no validators,
so that law 1 tells the result; one more block over HTTP is under the default policy, whose
validators judge each promotion. Before a block is measured, checkpoints cover what the blocks
before it wrote. The two cores are shared by the service, this process and the members of etcd.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks import http_load
from benchmarks.blueprints import blueprint
from benchmarks.cluster import client, cluster
from benchmarks.figures import Figure, median_ratio, shown
from benchmarks.options import Budget, Options, say
from benchmarks.service_process import ServiceProcess, service
from benchmarks.writer import Executor, in_flight, succeeded_plan, writer
from bps.clock import SystemClock
from bps.core.ids import branch_id_of
from bps.http.collector import calm_collector
from bps.identity.create import CreateToken, NewSecret
from bps.identity.roles import Role
from bps.identity.token_text import Token
from bps.keyring.private_key import read_or_make_private_key
from bps.plans.blob import Blob, pack
from bps.promotion.promote import Promote
from bps.sidecar.sidecar import Sidecar, SidecarSettings

_BLOCK = 320
_READS = 6_000
_READERS = 16
_IN_FLIGHT = 32
_COVERED_S = 60.0
_LEAST_ROUNDS = 5
_YAML = ("Content-Type", "application/yaml")
_JSON = ("Content-Type", "application/json")


async def measure(options: Options) -> list[Figure]:
    """Promotions over HTTP against those in process; 304s a core; start and idle memory."""
    # As the service does, so that the baseline has the same advantage.
    calm_collector()
    source = random.Random(options.seed)
    text = blueprint(source, 10_000)
    fix = text.replace(b"version: 1", b"version: 2")
    rates: tuple[list[float], list[float], list[float]] = ([], [], [])
    judged: list[float] = []
    reads: list[tuple[float, float]] = []
    starts: list[float] = []
    idle: list[float] = []
    budget = Budget(options.seconds, least=_LEAST_ROUNDS)
    with cluster() as endpoints, TemporaryDirectory() as state:
        token = await supervisor_token(endpoints)
        while budget.another():
            first = 10_000_000 * budget.rounds
            blobs = pack(text), pack(fix)
            rates[1].append(await _in_process(endpoints, first, *blobs))
            rates[2].append(await _in_sidecar(endpoints, first + 2 * _BLOCK, *blobs, Path(state)))
            with service(endpoints, Path(state)) as serving:
                starts.append(serving.start_s)
                idle.append(serving.rss_kib / 1024)
                side = _Side(serving, token, text, fix)
                rates[0].append(await side.promotions(first + _BLOCK))
                reads.append(await side.conditional_reads(first + _BLOCK))
            await _allow_validators(endpoints)
            with service(endpoints, Path(state)) as serving:
                side = _Side(serving, token, text, fix)
                judged.append(await side.promotions(first + 3 * _BLOCK))
            say(
                f"  round {budget.rounds}: over HTTP {shown(rates[0][-1])}/s, "
                f"with validators {shown(judged[-1])}/s, in process "
                f"{shown(rates[1][-1])}/s, in a sidecar {shown(rates[2][-1])}/s, "
                f"304s {shown(reads[-1][0])}/s, "
                f"{shown(reads[-1][1])} a CPU second"
            )
    return [
        Figure("HTTP promotion, 32 in flight", median(rates[0]), "/s"),
        Figure("the same in process", median(rates[1]), "/s"),
        Figure("the same by a sidecar in process", median(rates[2]), "/s"),
        Figure("HTTP promotion: of in process", median_ratio(*rates[:2]), at_least=0.5),
        Figure("HTTP promotion: of the sidecar's", median_ratio(rates[0], rates[2])),
        Figure("HTTP promotion with validators", median(judged), "/s"),
        Figure("HTTP promotion: with validators, of without", median_ratio(judged, rates[0])),
        Figure("304 of canonical", median(wall for wall, _ in reads), "/s"),
        Figure("304 of canonical a core", median(cpu for _, cpu in reads), "/s", at_least=1_500),
        Figure("start to ready", median(starts), "s", at_most=2.0),
        Figure("idle memory", median(idle), "MiB", at_most=150),
    ]


async def supervisor_token(endpoints: list[str]) -> str:
    """A token of a supervisor, put into the store directly."""
    token = Token.generate()
    secret = NewSecret(token.credential, token.digest)
    async with client(endpoints) as store, writer(store) as leader:
        roles = frozenset({Role.SUPERVISOR})
        await leader.path.execute(CreateToken("bench", "token", "bench-1", roles, secret))
    return token.text()


async def _allow_validators(endpoints: list[str]) -> None:
    async with client(endpoints) as store, writer(store) as leader:
        await leader.allow(validators=True)


async def _in_process(endpoints: list[str], first: int, canonical: Blob, fix: Blob) -> float:
    async with client(endpoints) as store, writer(store) as leader:
        return await _promotions_by(leader.path, first, canonical, fix)


async def _in_sidecar(
    endpoints: list[str], first: int, canonical: Blob, fix: Blob, state: Path
) -> float:
    signer = read_or_make_private_key(state / "signing-key")
    settings = SidecarSettings("bench-sidecar", signer=signer)
    async with client(endpoints) as store, Sidecar(store, SystemClock(), settings) as sidecar:
        await sidecar.ready()
        await _covered(sidecar)
        rate = await _promotions_by(sidecar, first, canonical, fix)
        # What has no checkpoint yet would be caught up by the service while it is measured.
        await _covered(sidecar)
        return rate


async def _covered(sidecar: Sidecar) -> None:
    """Wait until checkpoints name all that the blocks before have written."""
    async with asyncio.timeout(_COVERED_S):
        while sidecar.checkpoints.uncovered != 0:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.05)


async def _promotions_by(path: Executor, first: int, canonical: Blob, fix: Blob) -> float:
    promotions: list[Promote] = []

    async def prepare(number: int) -> None:
        plan = f"EP-{first + number}"
        promotions.append(await succeeded_plan(path, plan, canonical, fix))

    await in_flight(range(_BLOCK), prepare, _IN_FLIGHT)
    started = perf_counter()
    await in_flight(promotions, path.execute, _IN_FLIGHT)
    return len(promotions) / (perf_counter() - started)


class _Side:
    """What is asked of one running service."""

    def __init__(self, serving: ServiceProcess, token: str, text: bytes, fix: bytes) -> None:
        self._serving = serving
        self._token = ("Authorization", f"Bearer {token}")
        self._text = text
        self._fix = fix

    async def promotions(self, first: int) -> float:
        """Promotions a second, 32 in flight."""
        plans = [f"EP-{first + number}" for number in range(_BLOCK)]
        port, send = self._serving.port, http_load.rate
        register = [
            self._write("PUT", f"/v1/plans/{plan}?initiative=default", _YAML, self._text)
            for plan in plans
        ]
        opened = [
            self._write(
                "POST",
                f"/v1/plans/{plan}/branches",
                _JSON,
                b'{"trace_id":"%s","fingerprint":"sha256:payment-timeout"}' % plan.encode(),
            )
            for plan in plans
        ]
        submitted = [
            self._write(
                "POST",
                f"/v1/plans/{plan}/branches/{branch_id_of(plan)}/submission",
                _YAML,
                self._fix,
            )
            for plan in plans
        ]
        promoted = [
            self._write(
                "POST",
                f"/v1/plans/{plan}/promotions",
                _JSON,
                b'{"branches":["%s"]}' % branch_id_of(plan).encode(),
            )
            for plan in plans
        ]
        await send(port, register, _IN_FLIGHT, 201)
        await send(port, opened, _IN_FLIGHT, 201)
        await send(port, submitted, _IN_FLIGHT, 200)
        return await send(port, promoted, _IN_FLIGHT, 201)

    async def conditional_reads(self, first: int) -> tuple[float, float]:
        """304s a second of wall time, and a second of the service's CPU time."""
        path = f"/v1/plans/EP-{first}/canonical"
        connection = await http_load.Connection.open(self._serving.port)
        etag = pack(self._fix).digest
        headers = [self._token, ("If-None-Match", f'"2-{etag}"')]
        read = http_load.request("GET", path, headers)
        await connection.send(read, 304)
        connection.close()
        before_s = self._serving.cpu_s
        rate = await http_load.rate(self._serving.port, [read] * _READS, _READERS, 304)
        return rate, _READS / (self._serving.cpu_s - before_s)

    def _write(self, method: str, path: str, kind: tuple[str, str], body: bytes) -> bytes:
        key = ("Idempotency-Key", path.partition("?")[0].replace("/", "."))
        key = (key[0], key[1].strip("."))
        return http_load.request(method, path, [self._token, key, kind], body)
