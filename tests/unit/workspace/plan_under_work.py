"""A plan in a memory store, worked on through the real write path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bps.core.ids import BranchRef
from bps.initiatives.create import CreateInitiative
from bps.leadership.election import Leadership
from bps.plans.blob import pack
from bps.plans.branches import FailBranch, OpenBranch, RebaseBranch, SubmitBranch
from bps.plans.register import RegisterPlan
from bps.plans.results import BranchResult
from bps.promotion.promote import Promote
from bps.promotion.results import PromotionResult
from bps.promotion.revert import Revert
from bps.setup.initialise import Initialise
from bps.store.memory import MemoryStore
from bps.workspace.pinned import PinnedPlan
from bps.workspace.sync import SyncReport, sync
from bps.writepath.transact import WritePath
from tests.doubles import without_validators

PLAN = "EP-42"
BASE = b"# checkout\nname: checkout\ntasks:\n  - id: T-1\n"
FIX = BASE + b"  - id: T-2\n"
OTHER_FIX = BASE + b"  - id: T-3\n"
EDIT = BASE + b"  - id: T-9 # not submitted\n"


class StandingClock:
    """Always the same wall-clock time, so that rendered bytes are known; monotonic time runs."""

    def now_ms(self) -> int:
        return 1_795_000_000_123

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


@dataclass
class PlanUnderWork:
    store: MemoryStore
    write_path: WritePath
    root: Path
    _ops: int = field(default=0)

    def _op(self) -> str:
        self._ops += 1
        return f"op-{self._ops}"

    async def open(self, cause: str) -> BranchResult:
        command = OpenBranch("supervisor-1", self._op(), PLAN, f"trace-{cause}", cause, "it broke")
        return (await self.write_path.execute(command)).result

    async def submit(self, rr: BranchResult, content: bytes) -> None:
        ref = BranchRef(rr.branch, rr.n)
        await self.write_path.execute(
            SubmitBranch("supervisor-1", self._op(), PLAN, ref, pack(content))
        )

    async def promote(self, rr: BranchResult) -> PromotionResult:
        ref = BranchRef(rr.branch, rr.n)
        command = Promote("supervisor-1", self._op(), PLAN, (ref,))
        return (await self.write_path.execute(command)).result

    async def rebase(self, rr: BranchResult) -> BranchResult:
        ref = BranchRef(rr.branch, rr.n)
        command = RebaseBranch("supervisor-1", self._op(), PLAN, ref)
        return (await self.write_path.execute(command)).result

    async def fail(self, rr: BranchResult, reason: str) -> None:
        ref = BranchRef(rr.branch, rr.n)
        await self.write_path.execute(FailBranch("supervisor-1", self._op(), PLAN, ref, reason))

    async def revert(self, to: int) -> PromotionResult:
        command = Revert("supervisor-1", self._op(), PLAN, to, "it was worse")
        return (await self.write_path.execute(command)).result

    async def sync(self, *rr_plans: str) -> SyncReport:
        return await sync(self.open_plan, self.root, PLAN, rr_plans or None)

    async def open_plan(self, plan: str) -> PinnedPlan:
        return await PinnedPlan.open(self.store, plan)

    @property
    def directory(self) -> Path:
        return self.root / PLAN

    def fork(self, rr: BranchResult) -> Path:
        return self.directory / rr.rr_plan / f"blueprint_v{rr.n}.yaml"

    def tree(self) -> dict[str, bytes]:
        """Every file below the root, by its path from there."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() or path.is_symlink()
        }


@asynccontextmanager
async def registered_plan(root: Path) -> AsyncIterator[PlanUnderWork]:
    """EP-42, registered with `BASE`, and a workspace at `root` with nothing in it."""
    clock = StandingClock()
    store = MemoryStore(clock)
    leadership = Leadership(store, clock, "supervisor-1", ttl_s=3600)
    await leadership.campaign(1)
    work = PlanUnderWork(store, WritePath(store, leadership, clock), root)
    await work.write_path.execute(Initialise("supervisor-1", "init"))
    await without_validators(store)
    await work.write_path.execute(CreateInitiative("supervisor-1", "initiative", "checkout-2026"))
    await work.write_path.execute(
        RegisterPlan("supervisor-1", "register", PLAN, "checkout-2026", "Checkout", pack(BASE))
    )
    try:
        yield work
    finally:
        await leadership.resign()
