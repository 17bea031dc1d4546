"""A plan in a store read at one revision, piece by piece, however long writing its files takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from bps.core.errors import DigestMismatch, NotFound
from bps.core.ids import RRPlanId
from bps.core.keys import PlanKeys, after_prefix
from bps.core.ports import Key, Store
from bps.plans.blob import unpack
from bps.plans.model import Branch, Plan, RRPlan, Version

_PAGE = 64
_MAX_BRANCHES = 255
"""The most branches that a policy can allow in one plan."""


@dataclass(frozen=True, slots=True)
class PinnedPlan:
    """One plan at `revision`. Reads raise Compacted once the store dropped it: open anew."""

    store: Store
    keys: PlanKeys
    revision: int
    plan: Plan
    canonical: Version

    @classmethod
    async def open(cls, store: Store, plan_id: str) -> PinnedPlan:
        """Pin `plan_id` as it is now. One round trip.

        Raises:
            NotFound: there is no such plan.
        """
        plan_keys = PlanKeys(plan_id)
        snapshot = await store.snapshot([Key(plan_keys.record), Key(plan_keys.canonical)])
        plan, canonical = snapshot.answers
        if not plan or not canonical:
            raise NotFound(f"There is no plan {plan_id}.", plan=plan_id)
        return cls(
            store,
            plan_keys,
            snapshot.revision,
            Plan.decode(plan[0].value),
            Version.decode(canonical[0].value),
        )

    async def rr_plans(self) -> AsyncGenerator[RRPlan, None]:
        """All RR-plans of all revisions, in key order. One round trip per 64, held one page."""
        start, end = self.keys.rr_plans, after_prefix(self.keys.rr_plans)
        more = True
        while more:
            page = await self.store.page(start, end, limit=_PAGE, revision=self.revision)
            for kv in page.kvs:
                yield RRPlan.decode(kv.value)
                start = kv.key + b"\0"
            more = page.more

    async def rr_plans_named(self, rr_plan_ids: Iterable[str]) -> AsyncGenerator[RRPlan, None]:
        """The RR-plans named, in that order. Two round trips each.

        Raises:
            InvalidId: a name has not the form of an RR-plan id.
            NotFound: the plan has no such RR-plan.
        """
        for rr_plan_id in rr_plan_ids:
            rr_plan = await self._rr_plan(RRPlanId.parse(rr_plan_id))
            if rr_plan is None or rr_plan.rr_plan != rr_plan_id:
                msg = f"{self.plan.plan} has no RR-plan {rr_plan_id}."
                raise NotFound(msg, plan=self.plan.plan, rr_plan=rr_plan_id)
            yield rr_plan

    async def _rr_plan(self, named: RRPlanId) -> RRPlan | None:
        start = self.keys.branch(named.branch)
        branches = await self._range(start, after_prefix(start), limit=_MAX_BRANCHES)
        for branch in map(Branch.decode, branches):
            if branch.short == named.branch:
                key = self.keys.rr_plan(branch.branch, named.n)
                found = await self._range(key, key + b"\0", limit=1)
                return RRPlan.decode(found[0]) if found else None
        return None

    async def _range(self, start: bytes, end: bytes, *, limit: int) -> list[bytes]:
        page = await self.store.page(start, end, limit=limit, revision=self.revision)
        return [kv.value for kv in page.kvs]

    async def blueprint(self, digest: str) -> bytes:
        """The bytes of a blueprint that a record of this plan names. One round trip.

        Raises:
            DigestMismatch: it is not stored, or other bytes are.
        """
        key = self.keys.blob(digest)
        frames = await self._range(key, key + b"\0", limit=1)
        if not frames:
            raise DigestMismatch(f"Blob {digest} is not stored.", digest=digest)
        return unpack(frames[0], digest)

    async def knows_now(self, digest: str) -> bool:
        """Whether etcd holds these bytes as a blueprint of the plan now. One round trip."""
        key = self.keys.blob(digest)
        return bool((await self.store.page(key, key + b"\0", limit=1, keys_only=True)).kvs)
