"""Our two adapters against raw calls: compare-and-set transactions, 1 and 32 in flight.

A raw call sends bytes that were encoded before and leaves the answer undecoded: what grpc.aio and
etcd cost by themselves. A round is a block of each, on the leader; ratios are those of
neighbouring blocks (ADR 0003, ADR 0014).
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter

import grpc.aio

from benchmarks.cluster import client, cluster
from benchmarks.figures import Figure, median_ratio, shown
from benchmarks.options import Budget, Options, say
from benchmarks.writer import in_flight
from bps.core.errors import BpsError
from bps.core.ports import Store
from bps.core.txn import Committed, Put, Txn, absent
from bps.store.etcd import codec
from bps.store.etcd.methods import TXN
from bps.store.gateway import GatewayStore

_BLOCK = {1: 200, 32: 640}
_LEAST_ROUNDS = 7
_VALUE = b"x" * 100
_RAW = "raw"

Commit = Callable[[Txn], Awaitable[None]]


async def measure(options: Options) -> list[Figure]:
    """Rates of each, and the ratios to raw with their spread over the rounds."""
    figures: list[Figure] = []
    numbers = itertools.count()
    with cluster() as endpoints:
        channel = grpc.aio.insecure_channel(endpoints[0])
        send: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(TXN.path)

        async def raw(request: bytes) -> None:
            await send(request, timeout=10)

        async with (
            channel,
            client(endpoints) as etcd,
            GatewayStore(endpoints, deadline_s=10, read_bound_s=30) as gateway,
        ):
            adapters = {"EtcdStore": _committing(etcd), "GatewayStore": _committing(gateway)}
            for workers, size in _BLOCK.items():
                rates: dict[str, list[float]] = {name: [] for name in (_RAW, *adapters)}
                budget = Budget(options.seconds / 2, least=_LEAST_ROUNDS)
                while budget.another():
                    requests = [codec.commit_request(txn)[0] for txn in _txns(numbers, size)]
                    encoded = [request.SerializeToString() for request in requests]
                    started = perf_counter()
                    await in_flight(encoded, raw, workers)
                    rates[_RAW].append(size / (perf_counter() - started))
                    for name, commit in adapters.items():
                        txns = list(_txns(numbers, size))
                        started = perf_counter()
                        await in_flight(txns, commit, workers)
                        rates[name].append(size / (perf_counter() - started))
                    block = ", ".join(f"{name} {shown(rates[name][-1])}" for name in rates)
                    say(f"  {workers} in flight, round {budget.rounds}: {block} /s")
                figures += _figures(workers, rates)
    return figures


def _txns(numbers: Iterator[int], count: int) -> Iterator[Txn]:
    """New keys, each created by one transaction that compares its absence."""
    for number in itertools.islice(numbers, count):
        key = b"/bench/clients/%09d" % number
        yield Txn((absent(key),), (Put(key, _VALUE),))


def _committing(store: Store) -> Commit:
    async def commit(txn: Txn) -> None:
        if not isinstance(await store.commit(txn), Committed):
            raise BpsError("A transaction of the benchmark met a conflict.")

    return commit


def _figures(workers: int, rates: dict[str, list[float]]) -> Iterator[Figure]:
    for name, measured in rates.items():
        title = f"clients, {workers} in flight: {name}"
        yield Figure(f"{title}, CAS", sorted(measured)[len(measured) // 2], "/s")
        if name == _RAW:
            continue
        ratios = [ours / raw for ours, raw in zip(measured, rates[_RAW], strict=True)]
        yield Figure(f"{title}, of raw", median_ratio(measured, rates[_RAW]))
        yield Figure(f"{title}, of raw, least", min(ratios))
        yield Figure(f"{title}, of raw, most", max(ratios))
