"""How long nothing is promoted after a fault: the median and the worst of some rounds.

Each measurement is one fault on a healthy cluster under two sidecars that were just started. Spans
begin no later than the fault does: with the last promotion that was acknowledged before it, or with
the call that causes it. So what they tell is too long by some milliseconds, never too short.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx

from benchmarks.blueprints import blueprint
from benchmarks.cluster import breakable_cluster, client
from benchmarks.figures import Figure, shown
from benchmarks.http_service import supervisor_token
from benchmarks.options import Budget, Options, say
from benchmarks.promotion_probe import PERIOD_S, Answer, PromotionProbe
from benchmarks.service_process import LEASE_TTL_S, ServiceProcess, service
from benchmarks.writer import in_flight, succeeded_plan, writer
from bps.plans.blob import pack
from tests.cluster import CLUSTER_SIZE, EtcdCluster
from tests.cluster.interface import ETCD_FLAGS, FaultFailedError
from tests.fault.cluster import until

_LEAST_ROUNDS = 5
_PLANS = 500
_SETUP_IN_FLIGHT = 32
_BEFORE_S = 0.5
_AGAIN_S = 30.0
_AT_ONCE_S = 0.25
"""Far below the deadlines of the probe and of etcd's client; the cores are shared."""
_ASK_S = 0.5
_OUTAGES_S = (1.0, LEASE_TTL_S + 3.0)
"""How long the quorum stays lost after its loss was seen: shorter and longer than a lease."""
_ELECTION_S = next(
    int(flag.partition("=")[2]) / 1_000
    for flag in ETCD_FLAGS
    if flag.startswith("--election-timeout=")
)
_TARGETS_S = {
    "etcd's leader killed: next promotion": 2 * _ELECTION_S + 1,
    "leading sidecar killed: the other promotes": LEASE_TTL_S + 2,
    "leading sidecar frozen: the other promotes": LEASE_TTL_S + 2,
    "quorum lost: first write refused at once": 2.5,
    "quorum lost: readyz says so": 2.5,
    "quorum back: promotion after the first read": 3,
    "quorum back: promotion after the member's start": 6,
}


@dataclass(slots=True)
class _Scene:
    """A healthy cluster, the leading sidecar and the other one, and what asks them."""

    cluster: EtcdCluster
    leading: ServiceProcess
    other: ServiceProcess
    probe: PromotionProbe
    spans_s: dict[str, float] = field(default_factory=dict)


async def measure(options: Options) -> list[Figure]:
    """Seconds until the next acknowledged promotion, for each fault; at least 5 rounds of all."""
    budget = Budget(options.seconds, least=_LEAST_ROUNDS)
    spans: defaultdict[str, list[float]] = defaultdict(list)
    with breakable_cluster() as cluster, TemporaryDirectory() as state:
        measured = _Measured(cluster, Path(state), random.Random(options.seed))
        measured.token = await supervisor_token(cluster.endpoints)
        while budget.another():
            faults: list[Callable[[_Scene], Awaitable[None]]] = [
                _etcd_leader_killed,
                _sidecar_killed,
                _sidecar_frozen,
                *(_Quorum(outage_s, budget.rounds % 2 == 0) for outage_s in _OUTAGES_S),
            ]
            for fault in faults:
                found = await measured.under(fault)
                for name, span_s in found.items():
                    spans[name].append(span_s)
                told = ", ".join(f"{name} {shown(span_s)} s" for name, span_s in found.items())
                say(f"  round {budget.rounds}: {told}")
    figures: list[Figure] = []
    for name, target_s in _TARGETS_S.items():
        figures.append(Figure(f"{name}, median of {len(spans[name])}", median(spans[name]), "s"))
        figures.append(Figure(f"{name}, worst", max(spans[name]), "s", at_most=target_s))
    return figures


class _Measured:
    """One fault after the other on one cluster."""

    def __init__(self, cluster: EtcdCluster, state: Path, source: random.Random) -> None:
        self.token = ""
        self._cluster = cluster
        self._state = state
        self._source = source
        self._next = 10_000_000

    async def under(self, fault: Callable[[_Scene], Awaitable[None]]) -> dict[str, float]:
        """What one fault showed; the cluster is healthy again afterwards."""
        plans = await self._plans()
        with ExitStack() as stack:
            services: list[ServiceProcess] = []
            for name in ("bench-1", "bench-2"):
                home = self._state / name
                home.mkdir(mode=0o700, exist_ok=True)
                services.append(stack.enter_context(service(self._cluster.endpoints, home, name)))
            leading = await _leading(services)
            other = services[1 - services.index(leading)]
            probe = PromotionProbe(self.token, plans)
            scene = _Scene(self._cluster, leading, other, probe)
            try:
                await fault(scene)
            finally:
                leading.process.send_signal(signal.SIGCONT)
                await asyncio.to_thread(self._cluster.heal)
            return scene.spans_s

    async def _plans(self) -> list[str]:
        text = blueprint(self._source, 1_000)
        canonical, fix = pack(text), pack(text.replace(b"version: 1", b"version: 2"))
        plans = [f"EP-{self._next + number}" for number in range(_PLANS)]
        self._next += _PLANS
        async with client(self._cluster.endpoints) as store, writer(store) as leader:

            async def prepare(plan: str) -> None:
                await succeeded_plan(leader.path, plan, canonical, fix)

            await in_flight(plans, prepare, _SETUP_IN_FLIGHT)
        return plans


async def _etcd_leader_killed(scene: _Scene) -> None:
    victim = scene.cluster.leader_index()
    async with scene.probe.asking([scene.leading.url, scene.other.url]):
        await _promotes(scene.probe)
        killed_s = perf_counter()
        await asyncio.to_thread(scene.cluster.member(victim).kill)
        await asyncio.to_thread(scene.cluster.leader_index, other_than=victim)
        again = await scene.probe.first(_acknowledged_after(perf_counter()), _AGAIN_S)
    if await asyncio.to_thread(scene.cluster.member(victim).is_healthy):
        raise FaultFailedError("etcd's leader lives")
    span_s = scene.probe.longest_pause_s(killed_s, again.answered_s)
    scene.spans_s["etcd's leader killed: next promotion"] = span_s


async def _sidecar_killed(scene: _Scene) -> None:
    process = scene.leading.process
    async with scene.probe.asking([scene.other.url]):
        await asyncio.sleep(_BEFORE_S)
        ended_s = perf_counter()
        process.kill()
        again = await scene.probe.first(lambda answer: answer.acknowledged, _AGAIN_S)
    if process.wait() != -signal.SIGKILL or again.sent_s < ended_s - _AT_ONCE_S:
        raise FaultFailedError("the leading sidecar was not killed, or did not lead")
    span_s = again.answered_s - ended_s
    scene.spans_s["leading sidecar killed: the other promotes"] = span_s


async def _sidecar_frozen(scene: _Scene) -> None:
    process = scene.leading.process
    async with scene.probe.asking([scene.other.url]):
        await asyncio.sleep(_BEFORE_S)
        ended_s = perf_counter()
        process.send_signal(signal.SIGSTOP)
        again = await scene.probe.first(lambda answer: answer.acknowledged, _AGAIN_S)
    if scene.leading.state != "T" or again.sent_s < ended_s - _AT_ONCE_S:
        raise FaultFailedError("the leading sidecar was not frozen, or did not lead")
    span_s = again.answered_s - ended_s
    scene.spans_s["leading sidecar frozen: the other promotes"] = span_s


@dataclass(frozen=True, slots=True)
class _Quorum:
    """A follower is killed, then etcd's leader or the other follower; later the first starts."""

    outage_s: float
    takes_leader: bool

    async def __call__(self, scene: _Scene) -> None:
        cluster = scene.cluster
        leader = cluster.leader_index()
        first, second = ((leader + step) % CLUSTER_SIZE for step in (1, 2))
        if self.takes_leader:
            survivor, second = second, leader
        else:
            survivor = leader
        async with scene.probe.asking([scene.leading.url, scene.other.url]):
            await asyncio.to_thread(cluster.member(first).kill)
            await _promotes(scene.probe)
            told = asyncio.create_task(_told_s(scene.leading.url))
            await asyncio.to_thread(cluster.member(second).kill)
            dead_s = perf_counter()
            refused = await scene.probe.first(_refused_at_once(scene.leading.url), _AGAIN_S)
            last_s = scene.probe.last_acknowledged_s(dead_s)
            scene.spans_s["quorum lost: first write refused at once"] = refused.answered_s - last_s
            scene.spans_s["quorum lost: readyz says so"] = await told - last_s
            await asyncio.sleep(self.outage_s)
            alone = not await asyncio.to_thread(cluster.member(survivor).is_healthy)
            if not alone or any(map(_acknowledged_after(dead_s), scene.probe.answers)):
                raise FaultFailedError("etcd answers without a quorum")
            await self._back(scene, first, survivor)

    async def _back(self, scene: _Scene, first: int, survivor: int) -> None:
        started_s = perf_counter()
        read = asyncio.create_task(_read_s([scene.cluster.endpoints[i] for i in (first, survivor)]))
        await asyncio.to_thread(scene.cluster.member(first).start)
        again = await scene.probe.first(_acknowledged_after(started_s), _AGAIN_S)
        after_read_s, after_start_s = again.answered_s - await read, again.answered_s - started_s
        scene.spans_s["quorum back: promotion after the first read"] = after_read_s
        scene.spans_s["quorum back: promotion after the member's start"] = after_start_s


def _acknowledged_after(instant_s: float) -> Callable[[Answer], bool]:
    return lambda answer: answer.acknowledged and answer.answered_s > instant_s


def _refused_at_once(url: str) -> Callable[[Answer], bool]:
    return lambda a: a.url == url and a.reason == "quorum_lost" and a.took_s < _AT_ONCE_S


async def _promotes(probe: PromotionProbe) -> None:
    """Wait until promotions are acknowledged as they come."""
    await asyncio.sleep(_BEFORE_S)
    await probe.first(_acknowledged_after(perf_counter()), _AGAIN_S)


async def _leading(services: list[ServiceProcess]) -> ServiceProcess:
    """Wait until one leads and both are ready."""
    found: list[ServiceProcess] = []
    async with httpx.AsyncClient(trust_env=False, timeout=_ASK_S) as http:

        async def settled() -> bool:
            ready = [await _says(http, f"{each.url}/readyz") for each in services]
            found[:] = [each for each in services if await _says(http, f"{each.url}/leaderz")]
            return all(ready) and bool(found)

        await until(settled, "a sidecar leads", deadline_s=_AGAIN_S)
    return found[0]


async def _says(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.HTTPError:
        return False


async def _told_s(url: str) -> float:
    """When /readyz first says that the quorum is lost."""
    async with httpx.AsyncClient(trust_env=False, timeout=_ASK_S) as http:
        async with asyncio.timeout(_AGAIN_S):
            while True:
                with suppress(httpx.HTTPError):
                    answer = await http.get(f"{url}/readyz?verbose")
                    if answer.json().get("reason") == "quorum_lost":
                        return perf_counter()
                await asyncio.sleep(PERIOD_S)


async def _read_s(endpoints: list[str]) -> float:
    """When one of these members first answers a linearizable read."""
    answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def read(http: httpx.AsyncClient, endpoint: str) -> None:
        try:
            answer = await http.post(f"http://{endpoint}/v3/kv/range", json={"key": "AA=="})
        except httpx.HTTPError:
            return
        if answer.is_success and not answered.done():
            answered.set_result(perf_counter())

    async with (
        httpx.AsyncClient(trust_env=False, timeout=_ASK_S) as http,
        asyncio.timeout(_AGAIN_S),
        asyncio.TaskGroup() as group,
    ):
        while not answered.done():
            for endpoint in endpoints:
                group.create_task(read(http, endpoint))
            await asyncio.sleep(PERIOD_S)
    return answered.result()
