"""Lists of plans, versions and branches, one page a call: never more is read than is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bps.core import keys
from bps.core.errors import IntegrityError, NotFound
from bps.core.ports import Key, Page, Reads
from bps.plans.model import Branch, Plan, RRPlan, Version
from bps.plans.read import with_newest
from bps.plans.stored import branch_at, plan_at, version_at

T = TypeVar("T")

_NEXT = b"\x00"
"""Appended to a key, it gives the next possible key."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page at `revision`; `more` says whether items follow the last one.

    `unreadable` are those among them, by id, whose records are damaged or of a newer release.
    """

    items: list[T]
    revision: int
    more: bool
    unreadable: dict[str, IntegrityError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListedPlans(Listed[Plan]):
    """`last` is the id of the last record, which may be an unreadable one; None: there is none."""

    last: str | None = None


async def plans_page(store: Reads, *, after: str | None, limit: int) -> ListedPlans:
    """Plans in the order of their ids as text, after plan `after`. One round trip."""
    start = keys.PLANS if after is None else keys.PlanKeys(after).record + _NEXT
    page = await store.page(start, keys.after_prefix(keys.PLANS), limit=limit)
    found: list[Plan] = []
    unreadable: dict[str, IntegrityError] = {}
    last: str | None = None
    for kv in page.kvs:
        last = kv.key[len(keys.PLANS) :].decode(errors="replace")
        try:
            found.append(plan_at(keys.PlanKeys(last), kv))
        except IntegrityError as error:
            unreadable[last] = error
    return ListedPlans(found, page.revision, page.more, unreadable, last)


async def versions_page(
    store: Reads, plan: str, *, after: int | None, limit: int
) -> Listed[Version]:
    """Canonical versions of a plan, oldest first, after version `after`.

    Cost: one round trip; two where there is none. Raises NotFound: there is no such plan.
    """
    plan_keys = keys.PlanKeys(plan)
    start = plan_keys.versions if after is None else plan_keys.version(after) + _NEXT
    page = await _inside(store, plan, start, plan_keys.versions, limit)
    found = [version_at(plan_keys, kv) for kv in page.kvs]
    return Listed(found, page.revision, page.more)


async def branches_page(
    store: Reads, plan: str, *, after: str | None, limit: int
) -> Listed[tuple[Branch, RRPlan]]:
    """Branches with their newest RR-plans, in the order of their ids, after branch `after`.

    Cost: one round trip, and one per 100 branches. Raises NotFound: there is no such plan.
    """
    plan_keys = keys.PlanKeys(plan)
    start = plan_keys.branches if after is None else plan_keys.branch(after) + _NEXT
    page = await _inside(store, plan, start, plan_keys.branches, limit)
    branches = [branch_at(plan_keys, kv) for kv in page.kvs]
    return Listed(await with_newest(store, plan, branches), page.revision, page.more)


async def _inside(store: Reads, plan: str, start: bytes, prefix: bytes, limit: int) -> Page:
    page = await store.page(start, keys.after_prefix(prefix), limit=limit)
    if not page.kvs:
        record = Key(keys.PlanKeys(plan).record, keys_only=True)
        if not (await store.snapshot([record])).answers[0]:
            raise NotFound(f"There is no plan {plan}.", plan=plan)
    return page
