"""A write path on a memory store with everything around it, and short words for its commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self

import pytest

from bps.core.errors import MergeConflict
from bps.core.ids import BranchRef, ReviewId
from bps.core.keys import PlanKeys, after_prefix
from bps.core.txn import KV
from bps.initiatives.create import CreateInitiative
from bps.plans.blob import pack, unpack
from bps.plans.branches import FailBranch, OpenBranch, RebaseBranch, SubmitBranch
from bps.plans.events import BODIES, Body, Envelope
from bps.plans.model import Branch, Head, RRPlan, Version
from bps.plans.register import RegisterPlan
from bps.plans.results import BranchResult, PlanResult
from bps.plans.reviews import Review
from bps.policy.model import Policy
from bps.promotion.complete import CompleteReview
from bps.promotion.promote import Promote
from bps.promotion.results import PromotionResult
from bps.promotion.revert import Revert
from bps.replay.merges import verify_merges
from bps.replay.replay import replay
from bps.replay.verify import verify
from bps.review.read import review_sheet
from bps.review.resolve import Choice, ResolveReview
from bps.review.results import ReviewResult
from bps.review.sheet import ReviewSheet
from bps.setup.initialise import Initialise
from bps.store.memory import MemoryStore
from bps.writepath.prepare import InThreads, Workshop
from bps.writepath.transact import WritePath
from tests.doubles.authority import HeldAuthority
from tests.doubles.faulty_store import FaultyStore
from tests.doubles.manual_clock import ManualClock
from tests.doubles.policies import put_policy
from tests.doubles.recording_store import RecordingStore

PLAN = "EP-1"
WHO = "tester"
FIRST_REVIEW = ReviewId(PLAN, 1)
_ALL = 1_000_000


def ref(result: BranchResult) -> BranchRef:
    """How to name the RR-plan of an answer, exactly."""
    return BranchRef(result.branch, result.n)


def registration(plan: str) -> RegisterPlan:
    """A plan of no further interest."""
    return RegisterPlan(WHO, f"register-{plan}", plan, "default", "title", pack(b"v1"))


@dataclass(slots=True)
class Scene:
    """One leader: `path` writes through `store` (records) and `faulty` (fails) into `memory`."""

    clock: ManualClock
    memory: MemoryStore
    faulty: FaultyStore
    store: RecordingStore
    authority: HeldAuthority
    path: WritePath
    workshop: Workshop | None = None
    _numbers: count[int] = field(default_factory=count)

    @classmethod
    async def make(
        cls,
        plan: str | None = PLAN,
        content: bytes = b"v1",
        *,
        workshop: Workshop | None = None,
    ) -> Self:
        """An initialised store, and `plan` registered in it where it is not None.

        Without a `workshop` that can run them, the policy asks for no validators.
        """
        clock = ManualClock(jumps=True)
        memory = MemoryStore(clock)
        faulty = FaultyStore(memory)
        store = RecordingStore(faulty)
        authority = await HeldAuthority.take(memory)
        path = WritePath(store, authority, clock, workshop=workshop)
        scene = cls(clock, memory, faulty, store, authority, path, workshop)
        await scene.path.execute(Initialise(WHO, "init"))
        if workshop is None:
            await scene.set_policy()
        await scene.path.execute(CreateInitiative(WHO, "initiative", "initiative"))
        if plan is not None:
            await scene.register(content, plan)
        store.reset()
        return scene

    def cold(self) -> WritePath:
        """Another write path of the same leader, which knows nothing yet."""
        return WritePath(self.store, self.authority, self.clock, workshop=self.workshop)

    def op(self) -> str:
        """A new operation id."""
        return f"op-{next(self._numbers)}"

    async def register(self, content: bytes = b"v1", plan: str = PLAN) -> PlanResult:
        command = RegisterPlan(WHO, self.op(), plan, "initiative", "title", pack(content))
        return (await self.path.execute(command)).result

    async def open(
        self,
        trace: str,
        fingerprint: str | None = None,
        *,
        plan: str = PLAN,
        parent: BranchResult | None = None,
        clock: dict[str, int] | None = None,
    ) -> BranchResult:
        """Report a root cause; its fingerprint is `cause of {trace}` unless it is given."""
        command = OpenBranch(
            WHO,
            self.op(),
            plan,
            trace,
            fingerprint or f"cause of {trace}",
            parent_rr=ref(parent) if parent else None,
            clock=clock,
        )
        return (await self.path.execute(command)).result

    async def submit(self, branch: BranchResult, content: bytes) -> BranchResult:
        command = SubmitBranch(WHO, self.op(), branch.plan, ref(branch), pack(content))
        return (await self.path.execute(command)).result

    async def succeed(self, trace: str, content: bytes, *, plan: str = PLAN) -> BranchResult:
        """Open a branch and submit its fix."""
        return await self.submit(await self.open(trace, plan=plan), content)

    async def fail(self, branch: BranchResult, reason: str = "gave up") -> BranchResult:
        command = FailBranch(WHO, self.op(), branch.plan, ref(branch), reason)
        return (await self.path.execute(command)).result

    async def rebase(self, branch: BranchResult) -> BranchResult:
        command = RebaseBranch(WHO, self.op(), branch.plan, ref(branch))
        return (await self.path.execute(command)).result

    async def promote(self, *branches: BranchResult, plan: str = PLAN) -> PromotionResult:
        command = Promote(WHO, self.op(), plan, tuple(ref(branch) for branch in branches))
        return (await self.path.execute(command)).result

    async def refused(self, *branches: BranchResult) -> MergeConflict:
        """A promotion that is refused as it conflicts, so that its RR-plans wait in a review."""
        with pytest.raises(MergeConflict) as refusal:
            await self.promote(*branches)
        return refusal.value

    async def resolve(
        self,
        path: str,
        take: BranchResult | str | None = None,
        text: str | None = None,
        who: str = WHO,
    ) -> ReviewResult:
        """Decide one place in the plan's first review."""
        side = take.rr_plan if isinstance(take, BranchResult) else take
        choice = Choice(path, None, side, text)
        command = ResolveReview(who, self.op(), FIRST_REVIEW, (choice,))
        return (await self.path.execute(command)).result

    async def complete(self, who: str = WHO, reason: str = "decided") -> PromotionResult:
        """Complete the plan's first review."""
        command = CompleteReview(who, self.op(), FIRST_REVIEW, reason)
        return (await self.path.execute(command)).result

    async def revert(self, to: int, *, plan: str = PLAN) -> PromotionResult:
        return (await self.path.execute(Revert(WHO, self.op(), plan, to, "why"))).result

    async def set_policy(self, **changes: Any) -> Policy:
        """Put another policy in force; without a workshop it asks for no validators."""
        defaults: dict[str, Any] = {} if self.workshop is not None else {"validators": []}
        return await put_policy(self.memory, **{**defaults, **changes})

    async def below(self, prefix: bytes) -> tuple[KV, ...]:
        """All keys below `prefix`, read without faults and without being recorded."""
        return (await self.memory.page(prefix, after_prefix(prefix), limit=_ALL)).kvs

    async def log(self, plan: str = PLAN) -> list[tuple[Envelope, Body]]:
        """All events with their bodies."""
        bodies = await self.below(PlanKeys(plan).bodies)
        envelopes = [Envelope.decode(kv.value) for kv in await self.below(PlanKeys(plan).events)]
        return [
            (envelope, BODIES[envelope.type].decode(body.value))
            for envelope, body in zip(envelopes, bodies, strict=True)
        ]

    async def types(self, plan: str = PLAN) -> list[str]:
        """The types of all events."""
        return [envelope.type for envelope, _ in await self.log(plan)]

    async def head(self, plan: str = PLAN) -> Head:
        return Head.decode((await self.below(PlanKeys(plan).head))[0].value)

    async def versions(self, plan: str = PLAN) -> list[Version]:
        return [Version.decode(kv.value) for kv in await self.below(PlanKeys(plan).versions)]

    async def canonical(self, plan: str = PLAN) -> bytes:
        """The blueprint of the newest version."""
        digest = (await self.versions(plan))[-1].digest
        (kv,) = await self.below(PlanKeys(plan).blob(digest))
        return unpack(kv.value, digest)

    async def review(self) -> Review:
        """The newest one, which is stored twice."""
        newest, *_ = await self.below(PlanKeys(PLAN).newest_review)
        review = Review.decode(newest.value)
        (numbered,) = await self.below(PlanKeys(PLAN).review(review.n))
        assert numbered.value == newest.value
        return review

    async def sheet(self) -> ReviewSheet:
        """The plan's first review, as a reviewer sees it."""
        workshop = InThreads() if self.workshop is None else self.workshop
        return await review_sheet(self.memory, self.clock, workshop, FIRST_REVIEW)

    async def proven(self, made_again: int | None = None) -> None:
        """The log verifies and gives the stored state; that many merges come out again, if given.

        These come out of the log and the blueprints alone, also what nobody submitted.
        """
        await verify(self.memory, PLAN)
        await replay(self.memory, PLAN)
        if made_again is not None:
            counted = await verify_merges(self.memory, PLAN)
            assert counted.made_again == made_again
            assert counted.without_policy == counted.without_blueprints == 0

    async def rr_plans(self, plan: str = PLAN) -> dict[str, RRPlan]:
        """All RR-plans by their ids."""
        found = [RRPlan.decode(kv.value) for kv in await self.below(PlanKeys(plan).rr_plans)]
        return {rr_plan.rr_plan: rr_plan for rr_plan in found}

    async def branches(self, plan: str = PLAN) -> dict[str, Branch]:
        """All branches by their ids."""
        found = [Branch.decode(kv.value) for kv in await self.below(PlanKeys(plan).branches)]
        return {branch.branch: branch for branch in found}

    async def states(self, plan: str = PLAN) -> dict[str, str]:
        """The states of all RR-plans by their ids."""
        return {name: rr.state.value for name, rr in (await self.rr_plans(plan)).items()}
