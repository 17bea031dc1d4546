"""A plan as the service tells it, for projecting it into a workspace."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from bps.api.views import PlanView
from bps.client.client import BpsClient
from bps.core.codec import sha256_hex
from bps.core.errors import DigestMismatch, NotFound
from bps.core.ids import RRPlanId
from bps.plans.model import RRPlan, Version


@dataclass(frozen=True, slots=True)
class ServedPlan:
    """One plan. Each record is read when it is asked for; a file shows one record only."""

    client: BpsClient
    plan: PlanView
    canonical: Version

    @classmethod
    async def open(cls, client: BpsClient, plan: str) -> ServedPlan:
        """The plan as it is now. Two requests. Raises NotFound."""
        return cls(client, await client.plan(plan), await client.canonical(plan, fresh=True))

    async def rr_plans(self) -> AsyncGenerator[RRPlan, None]:
        """All RR-plans of all revisions. A request each, and one per 200 branches."""
        plan = self.plan.plan
        async for branch in self.client.branches(plan):
            newest = RRPlanId.parse(branch.rr_plan)
            for n in range(1, newest.n + 1):
                yield await self.client.rr_plan(plan, str(RRPlanId(plan, newest.branch, n)))

    async def rr_plans_named(self, rr_plan_ids: Iterable[str]) -> AsyncGenerator[RRPlan, None]:
        """The RR-plans named, in that order. A request each. Raises InvalidId, NotFound."""
        for rr_plan_id in rr_plan_ids:
            RRPlanId.parse(rr_plan_id)
            yield await self.client.rr_plan(self.plan.plan, rr_plan_id)

    async def blueprint(self, digest: str) -> bytes:
        """The bytes of a blueprint that a record of this plan names. One request.

        Raises:
            DigestMismatch: other bytes came, or none.
        """
        try:
            content = await self.client.blueprint_named(self.plan.plan, digest)
        except NotFound as error:
            raise DigestMismatch(f"Blueprint {digest} is not stored.", digest=digest) from error
        if sha256_hex(content) != digest:
            msg = f"The bytes that came for blueprint {digest} have another digest."
            raise DigestMismatch(msg, digest=digest)
        return content

    async def knows_now(self, digest: str) -> bool:
        """Whether the service holds these bytes as a blueprint of the plan. One request."""
        try:
            await self.client.blueprint_named(self.plan.plan, digest)
        except NotFound:
            return False
        return True
