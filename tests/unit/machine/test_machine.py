"""Random commands, leaders, faults and clocks, step by step in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bps.core.ids import branch_id_of
from bps.core.keys import PlanKeys
from bps.plans.model import RRPlan
from bps.store.memory import MemoryStore
from tests.doubles.manual_clock import ManualClock
from tests.unit.machine.checks import Checks, below
from tests.unit.machine.lab import PLANS, Lab
from tests.unit.machine.parts import Step
from tests.unit.machine.wire import Fate

HOUR_MS = 3_600_000

COMMANDS = [
    *("open", "submit", "submit", "rebase", "promote", "promote", "promote_all", "revert"),
    "repeat",
]
MISHAPS = ["usurp", "usurp", "lead", "revoke_lease", "hold_keepalives", "cut", "heal"]
LEADER, FORMER = True, False
leaders = st.sampled_from([LEADER, LEADER, LEADER, FORMER])
hosts = st.integers(0, 1)
plans = st.sampled_from([0, 0, 0, 1])
causes = st.integers(0, 2)
CONTENT = "one: 0\n\ntwo: 0\n\nthree: 0\n"
contents = st.sampled_from(
    [
        CONTENT,
        CONTENT.replace("one: 0", "one: 1"),
        CONTENT.replace("one: 0", "one: 2"),
        CONTENT.replace("two: 0", "two: 1"),
        CONTENT.replace("three: 0", "three: 1").replace("two: 0", "two: 1"),
        CONTENT + "\nfour: 1\n",
    ]
)
"""Some of them merge, some are in conflict."""
fates = st.lists(
    st.sampled_from(
        [
            Fate.LOSE_REPLY,
            Fate.LOSE_REQUEST,
            Fate.LATE,
            Fate.HOLD_REQUEST,
            Fate.HOLD_REPLY,
            *Fate,
        ]
    ).map(str),
    max_size=3,
).map(tuple)
mostly_quiet = st.one_of(st.just(()), st.just(()), fates)


class Machine(RuleBasedStateMachine):
    """`Lab` with its steps as rules; a failure prints the script that does it again."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        clock = ManualClock()
        self.lab = Lab(MemoryStore(clock), clock)
        self.checks = Checks(self.lab)
        self.failed = False
        self.run(self.lab.begin())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            self.runner.run(work)
        except AssertionError as error:
            self.failed = True
            steps = ",\n".join(f"    {tuple(step)!r}" for step in self.lab.script)
            error.add_note(f"as a script:\n[\n{steps},\n]")
            raise

    def do(self, act: str, *arguments: Any) -> None:
        async def step() -> None:
            await self.lab.do(Step(act, arguments))
            await self.checks.hold()

        self.run(step())

    def teardown(self) -> None:
        async def end() -> None:
            await self.lab.end()
            await self.checks.hold()

        try:
            if not self.failed:
                self.run(end())
        finally:
            self.runner.close()

    # Arguments of steps are plain, so what they depend on is looked up before.

    def host(self, leading: bool) -> int:
        """Where the newest term is or was, or the other host. Where nobody leads, one campaigns."""
        newest = self.lab.writers[-1]
        at = next((n for n, slot in enumerate(self.lab.slots) if slot.writer is newest), 0)
        if leading and newest.wire.cut:
            self.do("heal", at)
        if leading and newest.was_lost:
            self.do("lead", at)
        return at if leading else 1 - at

    def cause(self, plan: int, state: str, choice: int) -> int:
        """A root cause whose newest RR-plan is in `state`, where there is one."""
        newest: dict[str, str] = {}
        for kv in self.runner.run(below(self.lab.store, PlanKeys(PLANS[plan]).rr_plans)):
            rr_plan = RRPlan.decode(kv.value)
            newest[rr_plan.branch] = rr_plan.state.value
        fit = [n for n in range(3) if newest.get(branch_id_of(f"T{n}")) == state]
        return fit[choice % len(fit)] if fit else choice

    @initialize(contents=st.lists(contents, min_size=2, max_size=2))
    def begin(self, contents: list[str]) -> None:
        for plan in range(len(PLANS)):
            self.do("register", 0, plan, CONTENT)
        for cause, content in enumerate(contents):
            self.do("open", 0, 0, cause)
            self.do("submit", 0, 0, cause, content)

    @rule(
        kind=st.sampled_from(COMMANDS),
        leading=leaders,
        plan=plans,
        choice=causes,
        content=contents,
        meets=mostly_quiet,
    )
    def command(  # noqa: PLR0917 - a rule's parameters are what it draws
        self,
        kind: str,
        leading: bool,
        plan: int,
        choice: int,
        content: str,
        meets: tuple[str, ...],
    ) -> None:
        at = self.host(leading)
        match kind:
            case "submit":
                self.do(kind, at, plan, self.cause(plan, "OPEN", choice), content, meets)
            case "promote":
                several = [self.cause(plan, "SUCCEEDED", each) for each in (choice, choice + 1)]
                causes = tuple(dict.fromkeys(several[: choice % 2 + 1]))
                self.do(kind, at, plan, causes, meets)
            case "promote_all":
                self.do("promote", at, plan, (), meets)
            case "rebase":
                self.do(kind, at, plan, self.cause(plan, "SUCCEEDED", choice), meets)
            case "revert":
                self.do(kind, at, plan, choice + 1, meets)
            case "repeat":
                self.do(kind, at, -choice - 1, meets)
            case _:
                self.do(kind, at, plan, choice, meets)

    @rule(plan=plans, choice=causes, content=contents, meets=fates)
    def fix(self, plan: int, choice: int, content: str, meets: tuple[str, ...]) -> None:
        """A root cause from its report to its promotion, which meets something."""
        at = self.host(LEADER)
        self.do("open", at, plan, choice)
        self.do("submit", at, plan, choice, content)
        self.do("promote", at, plan, (choice,), meets)

    @rule(
        meets=st.sampled_from([("hold_request",), ("hold_reply",), ("cut",), ("late", "sever")]),
        plan=plans,
        choice=causes,
    )
    def stand_still(self, meets: tuple[str, ...], plan: int, choice: int) -> None:
        """A leader stops in the middle of a write; what follows finds it there."""
        cause = self.cause(plan, "SUCCEEDED", choice)
        self.do("promote", self.host(LEADER), plan, (cause,), meets)

    @rule(plan=plans, cause=causes)
    def lose_a_caller(self, plan: int, cause: int) -> None:
        """A caller goes away when its write is applied, and does not hear of it."""
        at = self.host(LEADER)
        self.do("open", at, plan, cause, ("hold_reply",))
        self.do("cancel", at)

    @rule(by_s=st.sampled_from([4.0, 9.2, 12.0]))
    def lose_touch(self, by_s: float) -> None:
        """A leader is cut off for a while."""
        at = self.host(LEADER)
        self.do("cut", at)
        self.do("time", by_s)
        self.do("heal", at)
        self.do("time", 0.5)

    @rule(
        act=st.sampled_from(MISHAPS),
        leading=leaders,
    )
    def befall(self, act: str, leading: bool) -> None:
        self.do(act, self.host(not leading if act == "usurp" else leading))

    @rule(act=st.sampled_from(["go_on", "go_on", "cancel"]), at=hosts)
    def move(self, act: str, at: int) -> None:
        self.do(act, at)

    @rule(which=st.integers(0, 5), drops=st.sampled_from([False, False, False, True]))
    def arrive(self, which: int, drops: bool) -> None:
        """What is late arrives; or, rarely, the operation records are dropped."""
        self.do(*(("drop_ops_lease",) if drops else ("deliver", which)))

    @rule(by_s=st.sampled_from([0.5, 4.0, 9.2, 3_700.0]))
    def time(self, by_s: float) -> None:
        self.do("time", by_s)

    @rule(at=hosts, by_ms=st.sampled_from([-26, -2, 2, 26]).map(HOUR_MS.__mul__))
    def step_wall_clock(self, at: int, by_ms: int) -> None:
        self.do("step_wall_clock", at, by_ms)


# Shrinking a failure takes up to 300 s.
TestMachine = pytest.mark.timeout(420)(Machine.TestCase)
TestMachine.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
