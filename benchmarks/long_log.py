"""A long, valid log of one plan, made without the write path and loaded in bulk.

The events go through the same `PlanBook.append` as those of decisions, so replay must accept them;
only op records, fence and compares are left out. Each branch in turn gets what many reporters of
one root cause make of it: links of further traces to its open RR-plan, a rebase as its base has
moved (every tenth fails instead), a submission, its promotion, and the opening of the next
RR-plan. All branches have an open RR-plan at all times. The first pass over the branches links
nothing, so that after about 6 events a branch every clock has an entry for each of them.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.blueprints import blueprint
from benchmarks.bulk_load import bulk_load
from bps.core import keys
from bps.core.ports import Prefix, Snapshot, Store
from bps.core.txn import KV, Put
from bps.plans.blob import Blob, pack
from bps.plans.book import PlanBook
from bps.plans.branches.rr_plan import open_rr_plan
from bps.plans.events import BranchOpened, BranchSucceeded, PlanRegistered, TraceLinked
from bps.plans.evolve import PlanState
from bps.plans.model import Head, RRPlan, State
from bps.plans.nullify import nullify
from bps.policy.model import DEFAULT_POLICY, PolicyInForce
from bps.promotion.publish import publish
from bps.writepath.command import OperationId
from bps.writepath.view import View

_FIRST_TIME_MS = 1_790_000_000_000
_FAIL_EVERY = 10
_BLOBS = 20
_OPERATION = OperationId("bench", "long-log", "0" * 64)


@dataclass(frozen=True, slots=True)
class LogShape:
    """At least `events` events over `branches` branches, `links` traces linked a visit."""

    events: int
    branches: int
    links: int


async def load_long_log(store: Store, plan: str, shape: LogShape, seed: int) -> int:
    """Write the whole plan into `store`; the number of its events."""
    source = random.Random(seed)
    blobs = [pack(blueprint(source, 10_000, variant)) for variant in range(_BLOBS)]
    author = _Author(plan, shape, blobs)
    await bulk_load(store, author.puts())
    return author.seq


class _Author:
    """Appends events, and hands out what is to be stored."""

    def __init__(self, plan: str, shape: LogShape, blobs: list[Blob]) -> None:
        self._shape = shape
        self._blobs = blobs
        self._state = PlanState(plan)
        self._policy = PolicyInForce(KV(keys.POLICY_CURRENT, DEFAULT_POLICY.encode(), 1, 1))
        self._view = View(fresh=False)
        self._view.learn([Prefix(self._state.keys.branches)], Snapshot(1, ((),)))
        self._changing: dict[bytes, Put] = {}
        self._book = self._book_after(None)

    @property
    def seq(self) -> int:
        """The number of events so far."""
        return self._book.head.seq if self._book.head else 0

    def puts(self) -> Iterator[Put]:
        """All records of the plan, each key once."""
        yield from (Put(self._state.keys.blob(blob.digest), blob.frame) for blob in self._blobs)
        first = self._blobs[0]
        self._book.append(
            PlanRegistered(
                initiative="bench",
                title="A plan with a long log",
                digest=first.digest,
                size_bytes=first.size_bytes,
            )
        )
        branches = [
            hashlib.sha1(b"%d" % i, usedforsecurity=False).hexdigest()
            for i in range(self._shape.branches)
        ]
        for branch in branches:
            self._open(branch, 1, "regression")
        yield from self._finished()
        visit = 0
        while self.seq < self._shape.events:
            self._visit(branches[visit % len(branches)], visit)
            visit += 1
            yield from self._finished()
        yield from self._changing.values()

    def _visit(self, branch: str, visit: int) -> None:
        rr_plan = self._newest(branch)
        first_pass = visit < self._shape.branches
        for _ in range(0 if first_pass else self._shape.links):
            named = len(self._state.branches[branch].linked) < DEFAULT_POLICY.max_linked_traces
            self._book.append(
                TraceLinked(last_counter=None, keep_name=named),
                branch=branch,
                rr=rr_plan.n,
                trace_id=f"ci-run-{self.seq:09d}",
            )
        if visit % _FAIL_EVERY == _FAIL_EVERY - 1:
            nullify(self._book, self._newest(branch), State.OBSOLETE_FAILED, "cannot reproduce it")
            self._open(branch, rr_plan.n + 1, "regression")
            return
        if rr_plan.base_digest != self._state.need_canonical().digest:
            nullify(
                self._book, self._newest(branch), State.OBSOLETE_SUPERSEDED, "its base has moved"
            )
            self._open(branch, rr_plan.n + 1, "rebase")
        rr_plan = self._newest(branch)
        blob = self._blobs[(visit + 1) % len(self._blobs)]
        self._book.append(
            BranchSucceeded(digest=blob.digest, size_bytes=blob.size_bytes),
            branch=branch,
            rr=rr_plan.n,
        )
        contributors = [self._newest(branch)]
        # Its base is canonical, so that law 1 tells the result.
        publish(self._book, contributors, blob.digest, "")
        self._open(branch, rr_plan.n + 1, "regression")

    def _newest(self, branch: str) -> RRPlan:
        return self._book.rr_plan(branch, self._state.branches[branch].n)

    def _open(self, branch: str, n: int, why: str) -> None:
        canonical = self._state.need_canonical()
        inherited: dict[str, int] = {}
        if n > 1:
            before = self._newest(branch).clock
            inherited = dict(before) if why == "rebase" else {branch: before[branch]}
        body = BranchOpened.model_validate(
            {
                "short": branch[:12],
                "fingerprint": f"sha256:{hashlib.sha256(branch.encode()).hexdigest()}",
                "opened_by": why,
                "parent_rr": None,
                "inherited_clock": inherited,
                "summary": "POST /orders answers 500 after the payment gateway timed out",
                "base_version": canonical.version,
                "base_digest": canonical.digest,
            }
        )
        open_rr_plan(self._book, branch=branch, n=n, body=body, trace_id=f"trace-{branch[:8]}")

    def _finished(self) -> Iterator[Put]:
        """What the events since the last call wrote and no later one changes; keeps the rest."""
        _, operations = self._book.parts()
        final = (self._state.keys.events, self._state.keys.bodies, self._state.keys.versions)
        closed = {
            self._state.keys.rr_plan(*place): place
            for place, rr_plan in self._state.rr_plans.items()
            if not rr_plan.state.live
        }
        for operation in operations:
            if not isinstance(operation, Put):
                continue
            if operation.key.startswith(final) or operation.key in closed:
                self._changing.pop(operation.key, None)
                yield operation
            else:
                self._changing[operation.key] = operation
        for place in closed.values():
            del self._state.rr_plans[place]
        self._state.changed.clear()
        self._book = self._book_after(self._book.head)

    def _book_after(self, head: Head | None) -> PlanBook:
        now_ms = _FIRST_TIME_MS + 1_000 * (head.seq if head else 0)
        return PlanBook(self._view, _OPERATION, now_ms, self._state, head, self._policy)
