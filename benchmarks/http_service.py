"""The service as a process: promotions and conditional reads over HTTP, its start and its memory.

A round is a block of promotions over HTTP, one by a sidecar in this process (its watch, checkpoints
and metrics, without HTTP) and one on a bare write path, each on plans that its own side brought so
far, so that all are warm; ratios are those of neighbouring blocks. The policy allows no validators,
so that law 1 tells the result (`judged_promotion` measures with some). Before a block is measured,
checkpoints cover what the blocks before it wrote. The two cores are shared by the service, this
process and the members of etcd.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.blueprints import blueprint
from benchmarks.cluster import client, cluster
from benchmarks.figures import Figure, median_ratio, shown
from benchmarks.http_side import PlanTexts, Side
from benchmarks.options import Budget, Options, say
from benchmarks.service_process import service
from benchmarks.writer import Executor, in_flight, succeeded_plan, writer
from bps.clock import SystemClock
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


async def measure(options: Options) -> list[Figure]:
    """Promotions over HTTP against those in process; 304s a core; start and idle memory."""
    # As the service does, so that the baseline has the same advantage.
    calm_collector()
    source = random.Random(options.seed)
    text = blueprint(source, 10_000)
    fix = text.replace(b"version: 1", b"version: 2")
    rates: tuple[list[float], list[float], list[float]] = ([], [], [])
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
                side = Side(serving, token)
                plans = [PlanTexts(f"EP-{first + _BLOCK + n}", text, fix) for n in range(_BLOCK)]
                rates[0].append(await side.promotions(plans, _IN_FLIGHT))
                reads.append(await side.conditional_reads(plans[0], _READS, _READERS))
            say(
                f"  round {budget.rounds}: over HTTP {shown(rates[0][-1])}/s, "
                f"in process {shown(rates[1][-1])}/s, in a sidecar {shown(rates[2][-1])}/s, "
                f"304s {shown(reads[-1][0])}/s, "
                f"{shown(reads[-1][1])} a CPU second"
            )
    return [
        Figure("HTTP promotion, 32 in flight", median(rates[0]), "/s"),
        Figure("the same in process", median(rates[1]), "/s"),
        Figure("the same by a sidecar in process", median(rates[2]), "/s"),
        Figure("HTTP promotion: of in process", median_ratio(*rates[:2]), at_least=0.5),
        Figure("HTTP promotion: of the sidecar's", median_ratio(rates[0], rates[2])),
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
