"""Three times as many writes as the service can do: what is still done, and how soon.

First its capacity: a closed loop of 32. Then an open loop sends at three times that rate, whatever
comes back, over many connections. A write registers a plan, as 30 s of promotions take minutes to
prepare, and a branch costs the more the more its plan has. The load generator and the members of
etcd share the two cores with the service, so that what sending and refusing costs is missing from
the goodput as well.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter

from benchmarks import http_load
from benchmarks.blueprints import blueprint
from benchmarks.cluster import cluster
from benchmarks.figures import Figure, shown
from benchmarks.http_load import Connection
from benchmarks.http_service import supervisor_token
from benchmarks.options import Options, say
from benchmarks.service_process import ServiceProcess, service
from bps.http.collector import calm_collector

_CAPACITY_BLOCK = 960
_IN_FLIGHT = 32
_TIMES = 3
_CONNECTIONS = 400
_DEADLINE_S = 2.0
_TICK_S = 0.01
_DONE, _REFUSED = 201, 503
_CACHES_MIB = 250
"""What warm views of plans (200), canonical versions (32) and the ring of changes (16) may hold."""


@dataclass(slots=True)
class _Answers:
    """What came back; `late` are requests that found no free connection at their time."""

    statuses: Counter[int] = field(default_factory=Counter)
    accepted_s: list[float] = field(default_factory=list)
    late: int = 0


async def measure(options: Options) -> list[Figure]:
    """Goodput under threefold load for `seconds`, of capacity; times, refusals, memory."""
    calm_collector()
    text = blueprint(random.Random(options.seed), 1_000)
    with cluster() as endpoints:
        token = await supervisor_token(endpoints)
        with service(endpoints) as serving:
            return await _measured(serving, _registrations(token, text), options.seconds)


async def _measured(serving: ServiceProcess, jobs: Iterator[bytes], seconds: float) -> list[Figure]:
    block = [next(jobs) for _ in range(_CAPACITY_BLOCK)]
    # Once to warm up, once to measure.
    await http_load.rate(serving.port, block, _IN_FLIGHT, _DONE)
    block = [next(jobs) for _ in range(_CAPACITY_BLOCK)]
    capacity = await http_load.rate(serving.port, block, _IN_FLIGHT, _DONE)
    before_mib = serving.rss_kib / 1024
    say(f"  capacity {shown(capacity)}/s; {_TIMES} times that for {seconds:g} s")
    answers, took_s = await _open_loop(serving.port, jobs, _TIMES * capacity, seconds)
    after_mib = serving.rss_kib / 1024
    say(f"  answers {dict(answers.statuses)}, {answers.late} found no connection")
    goodput = answers.statuses[_DONE] / took_s
    offered = (answers.statuses.total() + answers.late) / took_s
    return [
        Figure("overload: capacity, 32 in flight", capacity, "/s"),
        Figure("overload: offered", offered, "/s"),
        Figure("overload: goodput", goodput, "/s"),
        Figure("overload: goodput of capacity", goodput / capacity, at_least=0.8),
        Figure(
            "overload: accepted, 99th percentile",
            _quantile(answers.accepted_s, 0.99),
            "s",
            at_most=_DEADLINE_S,
        ),
        Figure("overload: refused", answers.statuses[_REFUSED]),
        Figure(
            "overload: other answers",
            answers.statuses.total() - answers.statuses[_DONE] - answers.statuses[_REFUSED],
            at_most=0,
        ),
        Figure("overload: memory before", before_mib, "MiB"),
        Figure("overload: memory after", after_mib, "MiB", at_most=before_mib + _CACHES_MIB),
    ]


async def _open_loop(
    port: int, jobs: Iterator[bytes], rate: float, seconds: float
) -> tuple[_Answers, float]:
    """Send `rate` requests a second; a request does not wait for the answers of others."""
    answers = _Answers()
    idle = [await Connection.open(port) for _ in range(_CONNECTIONS)]
    refused: list[bytes] = []
    under_way: set[asyncio.Task[None]] = set()

    async def one(connection: Connection, job: bytes) -> None:
        begun_s = perf_counter()
        status = await connection.exchange(job)
        answers.statuses[status] += 1
        if status == _DONE:
            answers.accepted_s.append(perf_counter() - begun_s)
        else:
            refused.append(job)
        idle.append(connection)

    started = perf_counter()
    sent = 0
    while (now_s := perf_counter() - started) < seconds:
        due = int(now_s * rate)
        while sent < due:
            sent += 1
            if not idle:
                answers.late += 1
                continue
            # A write that was refused is as good as a new one.
            job = refused.pop() if len(refused) > _CONNECTIONS else next(jobs)
            task = asyncio.create_task(one(idle.pop(), job))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.sleep(_TICK_S)
    await asyncio.gather(*under_way)
    took_s = perf_counter() - started
    for connection in idle:
        connection.close()
    return answers, took_s


def _registrations(token: str, text: bytes) -> Iterator[bytes]:
    """A new plan, again and again: a write that costs the same however many there were."""
    for number in count(10_000_000):
        headers = [
            ("Authorization", f"Bearer {token}"),
            ("Idempotency-Key", f"register-{number}"),
            ("Content-Type", "application/yaml"),
            ("BPS-Timeout-Ms", str(round(_DEADLINE_S * 1_000))),
        ]
        yield http_load.request("PUT", f"/v1/plans/EP-{number}?initiative=default", headers, text)


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
