"""Branches, promotions and reverts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING

from bps.client.answers import Calls, path_of
from bps.core.codec import to_decimals
from bps.writepath.command import Outcome

if TYPE_CHECKING:
    from bps.api.views import BranchView
    from bps.plans.model import RRPlan
    from bps.plans.results import BranchResult
    from bps.promotion.results import PromotionResult


class BranchCalls(Calls):
    """Calls under `/v1/plans/{plan}/branches`, `promotions` and `reverts`.

    A branch is named by 8 or more digits of its id, or by an RR-plan's id.
    """

    def branches(self, plan: str) -> AsyncGenerator[BranchView, None]:
        """A plan's branches with their newest RR-plans; a request per 200."""
        from bps.api.views import BranchView

        return self._pages(BranchView, "plans", plan, "branches")

    async def rr_plan(self, plan: str, branch: str) -> RRPlan:
        """The newest RR-plan of a branch, or the one whose id is given."""
        from bps.plans.model import RRPlan

        return await self._get(RRPlan, "plans", plan, "branches", branch)

    async def submitted(self, plan: str, branch: str) -> bytes:
        """The bytes that were submitted to an RR-plan. Raises NotFound, WrongState."""
        answer = await self._transport.read(path_of("plans", plan, "branches", branch, "blueprint"))
        return answer.body

    async def open_branch(
        self,
        plan: str,
        *,
        trace_id: str,
        fingerprint: str,
        summary: str = "",
        parent: str | None = None,
        clock: Mapping[str, int] | None = None,
        op_id: str | None = None,
    ) -> Outcome[BranchResult]:
        """Open a branch for a root cause, or join the one that is open for it."""
        from bps.plans.results import BranchResult

        body = {
            "trace_id": trace_id,
            "fingerprint": fingerprint,
            "summary": summary or None,
            "parent": parent,
            "clock": None if clock is None else to_decimals(clock),
        }
        given = {name: value for name, value in body.items() if value is not None}
        return await self._act(
            BranchResult, "POST", "plans", plan, "branches", op_id=op_id, body=given
        )

    async def submit_branch(
        self, plan: str, branch: str, blueprint: bytes, *, op_id: str | None = None
    ) -> Outcome[BranchResult]:
        """Submit the repaired blueprint of an open RR-plan."""
        from bps.plans.results import BranchResult

        path = ("plans", plan, "branches", branch, "submission")
        return await self._act(BranchResult, "POST", *path, op_id=op_id, blueprint=blueprint)

    async def fail_branch(
        self, plan: str, branch: str, reason: str, *, op_id: str | None = None
    ) -> Outcome[BranchResult]:
        """Give an RR-plan up."""
        from bps.plans.results import BranchResult

        path = ("plans", plan, "branches", branch, "failure")
        return await self._act(BranchResult, "POST", *path, op_id=op_id, body={"reason": reason})

    async def rebase_branch(
        self, plan: str, branch: str, *, op_id: str | None = None
    ) -> Outcome[BranchResult]:
        """Open a branch's next revision on today's canonical version."""
        from bps.plans.results import BranchResult

        path = ("plans", plan, "branches", branch, "rebase")
        return await self._act(BranchResult, "POST", *path, op_id=op_id)

    async def promote(
        self,
        plan: str,
        branches: Sequence[str] = (),
        *,
        reason: str = "",
        dry_run: bool = False,
        if_match: str | None = None,
        op_id: str | None = None,
    ) -> Outcome[PromotionResult]:
        """Publish successful RR-plans, by default all, as the next canonical version.

        Raises:
            PreconditionFailed: canonical is not the version that `if_match` names.
        """
        from bps.promotion.results import PromotionResult

        body = {"branches": list(branches), "reason": reason, "dry_run": dry_run}
        return await self._act(
            PromotionResult,
            "POST",
            *("plans", plan, "promotions"),
            op_id=op_id,
            body=body,
            if_match=if_match,
        )

    async def revert(
        self,
        plan: str,
        to: int,
        *,
        reason: str = "",
        if_match: str | None = None,
        op_id: str | None = None,
    ) -> Outcome[PromotionResult]:
        """Publish an older version's content as the next version. Raises PreconditionFailed."""
        from bps.promotion.results import PromotionResult

        return await self._act(
            PromotionResult,
            "POST",
            *("plans", plan, "reverts"),
            op_id=op_id,
            body={"to": str(to), "reason": reason},
            if_match=if_match,
        )
