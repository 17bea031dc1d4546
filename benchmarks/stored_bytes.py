"""What each command costs: round trips, compares, puts, bytes sent; and what stays stored.

On the in-memory store, whose transactions are byte for byte those that etcd gets. Bytes are those
of keys and values; `sent` is the whole request as the client encodes it.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from itertools import count, islice

from benchmarks.blueprints import blueprint
from benchmarks.cluster import client
from benchmarks.figures import Figure
from benchmarks.options import Options
from benchmarks.recording import RecordingStore
from benchmarks.writer import PRINCIPAL, SETUP_IN_FLIGHT, in_flight, succeeded_plan, writer
from bps.clock import SystemClock
from bps.core import keys
from bps.core.ids import BranchRef
from bps.core.ports import Key, Prefix
from bps.core.txn import Put
from bps.plans.blob import pack
from bps.plans.branches import FailBranch, OpenBranch, RebaseBranch, SubmitBranch
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.promotion.revert import Revert
from bps.store.embedded_etcd import EmbeddedEtcd
from bps.store.etcd.codec import commit_request
from bps.store.memory.store import MemoryStore
from bps.writepath.transact import WritePath

_PLAN = "EP-42"
_SIZES = (10_000, 100_000)
_BRANCHES = (1, 10, 50, 200)
_CYCLES = 410
_PLANS_BEFORE, _PLANS_MEASURED, _COMPACT_EVERY = 1_000, 2_000, 250


_AnyCommand = (
    RegisterPlan | OpenBranch | SubmitBranch | FailBranch | RebaseBranch | Promote | Revert
)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    round_trips: int
    compares: int
    puts: int
    sent_bytes: int
    op_bytes: int


async def measure(options: Options) -> list[Figure]:
    """Prints the table of commands; the figures are the bytes that stay."""
    text = blueprint(random.Random(options.seed), _SIZES[0])
    await _print_commands(text)
    figures: list[Figure] = []
    for size in _SIZES:
        text = blueprint(random.Random(options.seed), size)
        registered, first, _ = await _growth(text, 1)
        name = f"stored, {size // 1000} KB blueprint"
        figures += [
            Figure(f"{name}: a registered plan", registered.total(), "bytes"),
            Figure(f"{name}: first open+submit+promote", first.total(), "bytes"),
        ]
    text = blueprint(random.Random(options.seed), _SIZES[0])
    for branches in _BRANCHES:
        _, _, late = await _growth(text, branches)
        name = f"stored: open+submit+promote, clocks of {branches + 1} entries"
        figures.append(Figure(name, late.total(), "bytes"))
        kinds = ", ".join(f"{kind} {size:,}" for kind, size in late.most_common() if size)
        print(f"stored by open+submit+promote, clocks of {branches + 1} entries: {kinds}")
    print()
    return [*figures, *await _file_growth(text)]


async def _print_commands(text: bytes) -> None:
    rows: list[_Row] = []
    recorder = RecordingStore(MemoryStore(SystemClock()))
    async with writer(recorder) as leader:
        canonical, fix, other = (pack(text + b"# %d\n" % n) for n in range(3))
        opens = [OpenBranch(PRINCIPAL, f"o{n}", _PLAN, f"T{n}", f"sha256:{n}") for n in range(3)]

        async def run(name: str, command: _AnyCommand, path: WritePath = leader.path) -> str:
            recorder.traffic.reset()
            outcome = await path.execute(command)
            traffic, txn = recorder.traffic, recorder.traffic.txns[-1]
            op_key = command.operation.key
            ops = [put for put in txn.operations if isinstance(put, Put) and put.key == op_key]
            rows.append(
                _Row(
                    name,
                    traffic.round_trips,
                    len(txn.compares),
                    len(txn.operations),
                    commit_request(txn)[0].ByteSize(),
                    sum(len(put.key) + len(put.value) for put in ops),
                )
            )
            return str(getattr(outcome.result, "branch", ""))

        register = RegisterPlan(PRINCIPAL, "r", _PLAN, "checkout-2026", "Checkout", canonical)
        await run("plan register", register)
        first = BranchRef(await run("branch open, plan cold in branches", opens[0]), 1)
        second = BranchRef(await run("branch open", opens[1]), None)
        third = BranchRef(await run("branch open", opens[2]), 1)
        linked = OpenBranch(PRINCIPAL, "link", _PLAN, "T9", "sha256:2")
        await run("branch open, cause known (link)", linked)
        await run("branch submit", SubmitBranch(PRINCIPAL, "s0", _PLAN, first, fix))
        await run("branch submit", SubmitBranch(PRINCIPAL, "s1", _PLAN, second, other))
        await run("promote", Promote(PRINCIPAL, "p0", _PLAN, (first,)))
        await run("branch rebase", RebaseBranch(PRINCIPAL, "rb", _PLAN, second))
        await run("branch fail", FailBranch(PRINCIPAL, "f", _PLAN, third, "cannot reproduce it"))
        await run("revert", Revert(PRINCIPAL, "v", _PLAN, 1, "worse than before"))
        await run("branch rebase", RebaseBranch(PRINCIPAL, "rb2", _PLAN, second))
        await run("branch submit", SubmitBranch(PRINCIPAL, "s2", _PLAN, second, other))
        cold = leader.cold(recorder)
        await run("promote, plan cold", Promote(PRINCIPAL, "p1", _PLAN, (second,)), cold)
    print(
        "command                              trips  compares  puts  sent bytes  op record (25 h)"
    )
    seen: set[str] = set()
    for row in rows:
        if row.name not in seen:
            seen.add(row.name)
            print(
                f"{row.name:36} {row.round_trips:5} {row.compares:9} {row.puts:5} "
                f"{row.sent_bytes:11,} {row.op_bytes:17,}"
            )
    print()


async def _growth(text: bytes, branches: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Bytes by kind of key: of a registered plan, its first cycle, and a late one (mean of ten)."""
    store = MemoryStore(SystemClock())
    plan_keys = keys.PlanKeys(_PLAN)

    async def stored() -> Counter[str]:
        found = await store.snapshot([Key(plan_keys.record), Prefix(plan_keys.root)])
        sizes: Counter[str] = Counter()
        for kv in (kv for kvs in found.answers for kv in kvs):
            kind = kv.key.removeprefix(plan_keys.root).split(b"/")[0].decode() or "plan"
            sizes[kind] += len(kv.key) + len(kv.value)
        return sizes

    async with writer(store) as leader:
        register = RegisterPlan(PRINCIPAL, "r", _PLAN, "checkout-2026", "Checkout", pack(text))
        await leader.path.execute(register)
        totals = [await stored()]
        for number in range(_CYCLES):
            cause = f"sha256:{number % branches}"
            opening = OpenBranch(PRINCIPAL, f"o{number}", _PLAN, f"T{number}", cause)
            opened = (await leader.path.execute(opening)).result
            ref = BranchRef(opened.branch, opened.n)
            fix = pack(text + b"# change %d\n" % number)
            await leader.path.execute(SubmitBranch(PRINCIPAL, f"s{number}", _PLAN, ref, fix))
            await leader.path.execute(Promote(PRINCIPAL, f"p{number}", _PLAN, (ref,)))
            if number in {0, _CYCLES - 11, _CYCLES - 1}:
                totals.append(await stored())
    registered, first, before, after = totals
    late = Counter({kind: (after[kind] - before[kind]) // 10 for kind in after})
    return registered, Counter({k: first[k] - registered[k] for k in first}), late


async def _file_growth(text: bytes) -> list[Figure]:
    """Size of etcd's file against what is stored in it: new plans with one promotion each."""
    canonical, fix = pack(text), pack(text.replace(b"version: 1", b"version: 2"))
    numbers = count(10_000_000)
    async with (
        EmbeddedEtcd(temporary=True) as etcd,
        client([etcd.endpoint]) as store,
        writer(store) as leader,
    ):

        async def one(number: int) -> None:
            plan = f"EP-{number}"
            await leader.path.execute(await succeeded_plan(leader.path, plan, canonical, fix))

        async def file_bytes(plans: int) -> int:
            for _ in range(plans // _COMPACT_EVERY):
                await in_flight(islice(numbers, _COMPACT_EVERY), one, SETUP_IN_FLIGHT)
                await store.compact((await store.snapshot([Key(keys.SCHEMA)])).revision)
            return (await store.status())[0].db_size_bytes

        before = await file_bytes(_PLANS_BEFORE)
        grown = (await file_bytes(_PLANS_MEASURED) - before) / _PLANS_MEASURED
        found = await store.snapshot([Prefix(keys.PlanKeys(f"EP-{next(numbers) - 1}").root)])
    payload = sum(len(kv.key) + len(kv.value) for kvs in found.answers for kv in kvs)
    return [
        Figure("etcd's file: growth by a plan with one promotion", grown, "bytes"),
        Figure("etcd's file: of the bytes of keys and values", grown / payload),
    ]
