"""Random commands under random faults: what must hold after every step, read from the store alone.

The rules of events are written down a second time, in `event_rules`; the stored records must be
what they give.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bps.core.chain import Link, first_break
from bps.core.codec import Record, sha256_hex
from bps.core.errors import (
    FencedOut,
    IdempotencyKeyReused,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)
from bps.core.ids import CANONICAL_ACTOR, BranchRef, branch_id_of
from bps.core.keys import PlanKeys, last_number
from bps.core.vector_clock import includes
from bps.plans.blob import pack, unpack
from bps.plans.branches import FailBranch, OpenBranch, RebaseBranch, SubmitBranch
from bps.plans.events import (
    Body,
)
from bps.plans.model import RRPlan
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.promotion.revert import Revert
from bps.replay.replay import replay
from bps.writepath.command import Command, Outcome
from bps.writepath.transact import WritePath
from tests.doubles import WHO, ApplyLate, Fault, HeldAuthority, Scene
from tests.unit.writepath.event_rules import Place, Rebuilt, rebuild

R = TypeVar("R", bound=Record)

PLANS = ("EP-1", "EP-2")
CONTENTS = (b"v1", b"v2", b"v3")
FAULTS = st.one_of(
    st.sampled_from([Fault.NONE, Fault.LOSE_REPLY, Fault.LOSE_REQUEST, Fault.UNAVAILABLE]),
    st.just(Fault.NO_LEASE),
    st.builds(ApplyLate, st.integers(1, 6)),
)
plans = st.sampled_from([*PLANS[:1] * 3, *PLANS])
contents = st.sampled_from(CONTENTS)


class How(NamedTuple):
    """Which write path sends a command, and what its writes (and reads) meet."""

    path: int
    faults: tuple[Fault | ApplyLate, ...]
    reads: bool


QUIET = How(0, (), reads=False)
hows = st.builds(
    How,
    st.integers(0, 1),
    st.lists(FAULTS, max_size=4).map(tuple),
    st.sampled_from([False, False, True]),
)


class Choice(NamedTuple):
    at: int
    anything: bool


choices = st.builds(Choice, st.integers(0, 5), st.sampled_from([False, False, False, True]))


class Report(NamedTuple):
    plan: str
    trace: str
    cause: str
    parent: Choice | None
    clock: dict[str, int] | None


reports = st.builds(
    Report,
    plans,
    st.sampled_from(["T1", "T2", "T3"]),
    st.sampled_from(["F1", "F2", "F3"]),
    st.none() | choices,
    st.sampled_from([None, None, {}, {CANONICAL_ACTOR: 1}]),
)


class Histories(RuleBasedStateMachine):
    """Two plans, two write paths, and a network that loses what it is told to lose."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.scene = self.run(Scene.make(plan=None))
        self.paths = [self.scene.path, self.scene.cold()]
        self.deposed: WritePath | None = None
        self.sent: list[Command[Any]] = []
        self.acknowledged: dict[str, Outcome[Any]] = {}
        self.known: dict[tuple[str, Place], RRPlan] = {}
        self.head_times: dict[str, int] = {}
        self.canonical_clocks: dict[str, dict[str, int]] = {}

    def run(self, work: Coroutine[Any, Any, R | Any]) -> Any:
        # `Runner.run` sets signal handlers for each call, which takes longer than most calls do.
        return self.runner.get_loop().run_until_complete(work)

    def teardown(self) -> None:
        try:
            self.run(self.scene.faulty.arrive())
            self.everything_holds()
            for plan in self.registered():
                self.run(replay(self.scene.memory, plan))
        finally:
            self.runner.close()

    def do(self, command: Command[Any], how: How = QUIET) -> None:
        """Execute; only failures that a caller may see, and what they promise, are let pass."""
        name = command.operation.name
        if command not in self.sent:
            self.sent.append(command)
        self.scene.faulty.script.extend(how.faults)
        self.scene.faulty.commits_only = not how.reads
        try:
            outcome = self.run(self.paths[how.path].execute(command))
        except (Rejected, IdempotencyKeyReused):
            assert name not in self.acknowledged, "an acknowledged operation was refused"
            return
        except FencedOut:
            self.paths[how.path] = self.scene.cold()
            return
        except (Unavailable, OutcomeUnknown):
            return
        finally:
            self.scene.faulty.script.clear()
        assert outcome.how != "committed" or self.paths[how.path] is not self.deposed, "not fenced"
        if outcome.how == "noop":
            assert outcome.result.receipt is None
        before = self.acknowledged.setdefault(name, outcome)
        assert before.result == outcome.result, "a repeated operation brought another result"

    def lead(self) -> None:
        """A new leader with write paths that know nothing."""
        self.scene.authority = self.run(HeldAuthority.take(self.scene.memory))
        self.paths = [self.scene.cold(), self.scene.cold()]

    # What happens.

    @initialize(fixes=st.lists(contents, max_size=3), inside=st.booleans())
    def begin(self, fixes: list[bytes], inside: bool) -> None:
        """One plan, and fixes of the same base that wait for their promotion."""
        plan = PLANS[0]
        self.do(RegisterPlan(WHO, "first", plan, "initiative", "t", pack(b"v1")))
        for cause, content in enumerate(fixes):
            parent = self.ref(plan, Choice(0, False), "SUCCEEDED") if inside else None
            opening = OpenBranch(
                WHO, self.scene.op(), plan, f"T{cause}", f"F{cause}", parent_rr=parent
            )
            self.do(opening)
            ref = BranchRef(branch_id_of(f"T{cause}"), 1)
            self.do(SubmitBranch(WHO, self.scene.op(), plan, ref, pack(content)))

    @rule(content=contents, how=hows)
    def register(self, content: bytes, how: How) -> None:
        self.do(RegisterPlan(WHO, self.scene.op(), PLANS[1], "initiative", "t", pack(content)), how)

    @rule(report=reports, how=hows)
    def open_branch(self, report: Report, how: How) -> None:
        inside = self.ref(report.plan, report.parent, "OPEN") if report.parent else None
        command = OpenBranch(
            WHO,
            self.scene.op(),
            report.plan,
            report.trace,
            report.cause,
            parent_rr=inside,
            clock=report.clock,
        )
        self.do(command, how)

    @rule(plan=plans, at=choices, content=contents, how=hows)
    def submit(self, plan: str, at: Choice, content: bytes, how: How) -> None:
        if ref := self.ref(plan, at, "OPEN"):
            self.do(SubmitBranch(WHO, self.scene.op(), plan, ref, pack(content)), how)

    @rule(plan=plans, at=choices, how=hows)
    def fail(self, plan: str, at: Choice, how: How) -> None:
        if ref := self.ref(plan, at, "SUCCEEDED"):
            self.do(FailBranch(WHO, self.scene.op(), plan, ref, "why"), how)

    @rule(plan=plans, at=choices, how=hows)
    def rebase(self, plan: str, at: Choice, how: How) -> None:
        if ref := self.ref(plan, at, "SUCCEEDED"):
            self.do(RebaseBranch(WHO, self.scene.op(), plan, ref), how)

    @rule(plan=plans, at=st.lists(choices, max_size=2), how=hows)
    def promote(self, plan: str, at: list[Choice], how: How) -> None:
        refs = tuple(ref for choice in at if (ref := self.ref(plan, choice, "SUCCEEDED")))
        self.do(Promote(WHO, self.scene.op(), plan, refs), how)

    @rule(plan=plans, at=choices, content=contents, how=hows)
    def fix(self, plan: str, at: Choice, content: bytes, how: How) -> None:
        """Submit and promote at once."""
        if ref := self.ref(plan, at, "OPEN"):
            self.do(SubmitBranch(WHO, self.scene.op(), plan, ref, pack(content)))
            self.do(Promote(WHO, self.scene.op(), plan, (ref,)), how)

    @rule(plan=plans, how=hows)
    def promote_in_turn(self, plan: str, how: How) -> None:
        """All that succeeded, each on its own."""
        for rr_plan in self.run(self.scene.rr_plans(plan)).values():
            if rr_plan.state == "SUCCEEDED":
                ref = BranchRef(rr_plan.branch, rr_plan.n)
                self.do(Promote(WHO, self.scene.op(), plan, (ref,)), how)

    @rule(plan=plans, to=st.integers(0, 5), how=hows)
    def revert(self, plan: str, to: int, how: How) -> None:
        """To a version that is there, or to the next, which is not."""
        known = len(self.run(self.scene.versions(plan)))
        self.do(Revert(WHO, self.scene.op(), plan, to % (known + 1) + 1, "why"), how)

    @rule(at=st.integers(0, 50), how=hows)
    def repeat(self, at: int, how: How) -> None:
        self.do(self.sent[at % len(self.sent)], how)

    @rule(at=st.integers(0, 50), plan=plans)
    def reuse_an_operation_id(self, at: int, plan: str) -> None:
        sent = self.sent[at % len(self.sent)].operation.op_id
        command = Revert(WHO, sent, plan, 1, "another request under the same id")
        if sent in {each.operation.op_id for each in self.sent if each != command}:
            acknowledged = f"{WHO}/{sent}" in self.acknowledged
            try:
                outcome = self.run(self.paths[0].execute(command))
            except Rejected:
                # The id is free only where its first use wrote nothing at all.
                assert not acknowledged
                return
            except (IdempotencyKeyReused, Unavailable, OutcomeUnknown, FencedOut):
                return
            finally:
                self.scene.faulty.script.clear()
            assert not acknowledged
            self.sent.append(command)
            self.acknowledged[f"{WHO}/{sent}"] = outcome
            self.sent = [e for e in self.sent if e.operation.op_id != sent or e == command]

    @rule()
    def change_the_leader(self) -> None:
        former = self.paths
        self.lead()
        self.paths = [self.paths[0], former[0]]
        self.deposed = former[0]

    @rule(by_ms=st.integers(-5_000, 5_000))
    def step_the_wall_clock(self, by_ms: int) -> None:
        self.scene.clock.set_wall(by_ms)

    # What holds.

    def registered(self) -> list[str]:
        return [p for p in PLANS if self.run(self.scene.below(PlanKeys(p).head))]

    def ref(self, plan: str, choice: Choice, state: str) -> BranchRef | None:
        """An RR-plan in `state` where there is one and the choice is not for any other."""
        found = list(self.run(self.scene.rr_plans(plan)).values())
        wanted = [rr_plan for rr_plan in found if rr_plan.state == state]
        chosen = found if choice.anything or not wanted else wanted
        if not chosen:
            return None
        rr_plan = chosen[choice.at % len(chosen)]
        return BranchRef(rr_plan.branch, rr_plan.n)

    @invariant()
    def everything_holds(self) -> None:
        for plan in self.registered():
            log = self.run(self.scene.log(plan))
            self.check_chain(plan)
            self.check_log(plan, log)
            rebuilt = rebuild(log)
            self.check_versions(plan, rebuilt)
            self.check_rr_plans(plan, rebuilt)
        self.check_acknowledged()

    def check_chain(self, plan: str) -> None:
        stored = self.run(self.scene.below(PlanKeys(plan).events))
        links = [Link(last_number(kv.key) or 0, kv.value) for kv in stored]
        head = self.run(self.scene.head(plan))
        assert first_break(plan, links, head.seq, head.hash) is None
        assert head.time_ms >= self.head_times.get(plan, 0), "the head's time went back"
        self.head_times[plan] = head.time_ms

    def check_log(self, plan: str, log: list[tuple[Any, Body]]) -> None:
        assert [event.seq for event, _ in log] == list(range(1, len(log) + 1))
        times = [event.time_ms for event, _ in log]
        assert times == sorted(times)
        stored = self.run(self.scene.below(PlanKeys(plan).events))
        revisions: dict[str, set[int]] = defaultdict(set)
        for (event, body), kv in zip(log, stored, strict=True):
            assert event.body_digest == sha256_hex(body.encode())
            assert kv.mod_revision == kv.create_revision, "an event was written again"
            revisions[event.op].add(kv.mod_revision)
        assert all(len(each) == 1 for each in revisions.values()), "an operation was done twice"

    def check_versions(self, plan: str, rebuilt: Rebuilt) -> None:
        versions = self.run(self.scene.versions(plan))
        assert [v.version for v in versions] == list(range(1, len(versions) + 1))
        assert [(v.version, v.digest) for v in versions[1:]] == rebuilt.promoted
        (pointer,) = self.run(self.scene.below(PlanKeys(plan).canonical))
        assert pointer.value == versions[-1].encode()
        assert includes(versions[-1].clock, self.canonical_clocks.get(plan, {}))
        self.canonical_clocks[plan] = dict(versions[-1].clock)
        for version in versions:
            (blob,) = self.run(self.scene.below(PlanKeys(plan).blob(version.digest)))
            assert unpack(blob.value, version.digest) in CONTENTS

    def check_rr_plans(self, plan: str, rebuilt: Rebuilt) -> None:
        rr_plans = {(r.branch, r.n): r for r in self.run(self.scene.rr_plans(plan)).values()}
        assert {place: r.state.value for place, r in rr_plans.items()} == rebuilt.states
        obsolete = {place for place, r in rr_plans.items() if r.state.obsolete}
        assert obsolete == rebuilt.nullified
        for place, rr_plan in rr_plans.items():
            before = self.known.get((plan, place))
            if before is not None:
                assert includes(rr_plan.clock, before.clock), "a clock went back"
            if place[1] > 1:
                previous = rr_plans[place[0], place[1] - 1]
                assert not previous.state.live
                assert includes(rr_plan.clock, previous.clock), "a revision knows less"
            self.known[plan, place] = rr_plan
        branches = self.run(self.scene.branches(plan)).values()
        assert {(b.branch, n) for b in branches for n in range(1, b.n + 1)} == set(rr_plans)

    def check_acknowledged(self) -> None:
        for name, outcome in self.acknowledged.items():
            receipt = outcome.result.receipt
            if receipt is None:
                continue
            (kv,) = self.run(self.scene.below(PlanKeys(receipt.plan).event(receipt.seq)))
            assert sha256_hex(kv.value) == receipt.hash, "an acknowledged event is gone"
            log = self.run(self.scene.log(receipt.plan))
            assert log[receipt.seq - 1][0].op == name


# Shrinking a failure takes up to 300 s.
TestHistories = pytest.mark.timeout(420)(Histories.TestCase)
TestHistories.settings = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
