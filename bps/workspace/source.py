"""Where a workspace's content comes from: the store, or the service; a port of the projection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Protocol

from bps.plans.model import RRPlan, Version


class PlanFacts(Protocol):
    """What files say of the plan itself; it never changes once the plan is sealed."""

    @property
    def plan(self) -> str:
        """The plan's id."""
        ...

    @property
    def initiative(self) -> str:
        """The initiative it belongs to."""
        ...

    @property
    def title(self) -> str:
        """One line for people."""
        ...


class PlanSource(Protocol):
    """One plan, read for projecting it."""

    @property
    def plan(self) -> PlanFacts:
        """The plan's record, or a view of it."""
        ...

    @property
    def canonical(self) -> Version:
        """The version that was canonical when the source was opened."""
        ...

    def rr_plans(self) -> AsyncGenerator[RRPlan, None]:
        """All RR-plans of all revisions."""
        ...

    def rr_plans_named(self, rr_plan_ids: Iterable[str]) -> AsyncGenerator[RRPlan, None]:
        """The RR-plans named, in that order. Raises InvalidId, NotFound."""
        ...

    async def blueprint(self, digest: str) -> bytes:
        """The bytes of a blueprint that a record of this plan names. Raises DigestMismatch."""
        ...

    async def knows_now(self, digest: str) -> bool:
        """Whether these bytes are a blueprint of the plan now."""
        ...


OpenPlan = Callable[[str], Awaitable[PlanSource]]
"""Opens a plan by its id. Raises NotFound."""
