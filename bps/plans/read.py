"""Reading plans: for the edges. Every read names one plan and scans no other."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import (
    Ambiguous,
    DigestMismatch,
    IntegrityError,
    MalformedRecord,
    NotFound,
)
from bps.core.ids import BranchRef
from bps.core.ports import Key, Prefix, Reads
from bps.core.txn import KV
from bps.plans.blob import unpack
from bps.plans.model import Branch, Head, Plan, RRPlan, Version
from bps.plans.reviews import Review
from bps.plans.stored import branch_at, plan_at, review_at, rr_plan_at, version_at
from bps.plans.unreadable import unreadable

_PAGE = 500
_BATCH = 100


@dataclass(frozen=True, slots=True)
class PlanDetail:
    """A plan with its canonical version and the end of its log, at one revision.

    `review` is its open one, where that was asked for and there is one.
    """

    plan: Plan
    canonical: Version
    head: Head
    revision: int
    review: Review | None = None


@dataclass(frozen=True, slots=True)
class VersionDetail:
    """A version, at a revision."""

    version: Version
    revision: int


@dataclass(frozen=True, slots=True)
class RRPlanDetail:
    """An RR-plan with its branch. `revision` is that of the RR-plan."""

    branch: Branch
    rr_plan: RRPlan
    revision: int


async def plan_detail(store: Reads, plan: str, *, with_review: bool = False) -> PlanDetail:
    """One round trip; `with_review` reads the record of the newest review too, up to 160 KiB.

    Raises:
        NotFound: there is no such plan.
        MalformedRecord, SchemaTooNew: a record of it is damaged, or of a newer release.
    """
    plan_keys = keys.PlanKeys(plan)
    wanted = (plan_keys.record, plan_keys.canonical, plan_keys.head)
    also = (plan_keys.newest_review,) if with_review else ()
    snapshot = await store.snapshot([Key(key) for key in (*wanted, *also)])
    answers, newest = snapshot.answers[: len(wanted)], snapshot.answers[len(wanted) :]
    if not any(answers):
        raise NotFound(f"There is no plan {plan}.", plan=plan)
    if not all(answers):
        raise _lost(plan, "its record, its head or its canonical version")
    record, canonical, head = (answer[0] for answer in answers)
    reviews = [review_at(plan_keys, found[0]) for found in newest if found]
    return PlanDetail(
        plan_at(plan_keys, record),
        version_at(plan_keys, canonical),
        Head.decode(head.value),
        snapshot.revision,
        next((each for each in reviews if each.is_open), None),
    )


async def list_plans(store: Reads) -> AsyncGenerator[Plan, None]:
    """All plans in the order of their ids as text; pages of 500, nothing inside plans is read.

    Raises IntegrityError after the last one, where records cannot be read; it names them.
    """
    errors: dict[str, IntegrityError] = {}
    async for name, found in every_plan(store):
        if isinstance(found, Plan):
            yield found
        else:
            errors[name] = found
    if errors:
        raise unreadable("plan", errors)


async def every_plan(store: Reads) -> AsyncGenerator[tuple[str, Plan | IntegrityError], None]:
    """As `list_plans`, each with its id, and why its record cannot be read where it cannot."""
    async for kv in _plan_records(store, keys_only=False):
        name = kv.key[len(keys.PLANS) :].decode(errors="replace")
        try:
            found: Plan | IntegrityError = plan_at(keys.PlanKeys(name), kv)
        except IntegrityError as error:
            found = error
        yield name, found


async def _plan_records(store: Reads, *, keys_only: bool) -> AsyncGenerator[KV, None]:
    start, end, revision, more = keys.PLANS, keys.after_prefix(keys.PLANS), 0, True
    while more:
        page = await store.page(start, end, limit=_PAGE, revision=revision, keys_only=keys_only)
        for kv in page.kvs:
            yield kv
        revision, more = page.revision, page.more
        start = page.kvs[-1].key + b"\x00" if page.kvs else end


async def list_plan_ids(store: Reads) -> list[str]:
    """Every plan that has a record or anything inside, in the order of the ids as text.

    For proofs: a plan whose record was removed is not forgotten. Cost: one round trip per 500
    plans, and one per plan that has anything inside.
    """
    found: set[str] = set()
    async for kv in _plan_records(store, keys_only=True):
        found.add(kv.key[len(keys.PLANS) :].decode(errors="replace"))
    start, end = keys.PLAN_DATA, keys.after_prefix(keys.PLAN_DATA)
    while page := (await store.page(start, end, limit=1, keys_only=True)).kvs:
        name = page[0].key[len(keys.PLAN_DATA) :].split(b"/")[0]
        found.add(name.decode(errors="replace"))
        start = keys.after_prefix(keys.PLAN_DATA + name + b"/")
    return sorted(found)


async def version_of(store: Reads, plan: str, version: int | None = None) -> Version:
    """The canonical version, or version `version`. One round trip. Raises NotFound."""
    if version is None:
        return (await plan_detail(store, plan)).canonical
    return (await version_detail(store, plan, version)).version


async def version_detail(store: Reads, plan: str, version: int) -> VersionDetail:
    """Version `version`. One round trip. Raises NotFound."""
    snapshot = await store.snapshot([Key(keys.PlanKeys(plan).version(version))])
    if not snapshot.answers[0]:
        msg = f"{plan} has no version {version}."
        raise NotFound(msg, plan=plan, version=str(version))
    found = version_at(keys.PlanKeys(plan), snapshot.answers[0][0])
    return VersionDetail(found, snapshot.revision)


async def blueprint(store: Reads, plan: str, digest: str) -> bytes:
    """A blueprint's bytes, checked against `digest`. One round trip. Raises DigestMismatch."""
    found = await blueprint_if_stored(store, plan, digest)
    if found is None:
        raise DigestMismatch(f"{plan}: blob {digest} is missing.", plan=plan, digest=digest)
    return found[0]


async def blueprint_if_stored(store: Reads, plan: str, digest: str) -> tuple[bytes, int] | None:
    """As `blueprint`, for a digest that nobody promised, with the revision at which it was read.

    None where the plan has no such one.
    """
    snapshot = await store.snapshot([Key(keys.PlanKeys(plan).blob(digest))])
    found = snapshot.answers[0]
    return (unpack(found[0].value, digest), snapshot.revision) if found else None


async def branches_of(store: Reads, plan: str) -> list[tuple[Branch, RRPlan]]:
    """All branches with their newest RR-plans, by opening order of the id.

    Cost: one round trip, and one per 100 branches. Raises NotFound.
    """
    plan_keys = keys.PlanKeys(plan)
    found = await store.snapshot([Key(plan_keys.record), Prefix(plan_keys.branches)])
    if not found.answers[0]:
        raise NotFound(f"There is no plan {plan}.", plan=plan)
    branches = [branch_at(plan_keys, kv) for kv in found.answers[1]]
    return await with_newest(store, plan, branches)


async def with_newest(
    store: Reads, plan: str, branches: list[Branch]
) -> list[tuple[Branch, RRPlan]]:
    """Branches with their newest RR-plans; one round trip per 100. Raises MalformedRecord."""
    plan_keys = keys.PlanKeys(plan)
    newest: list[RRPlan] = []
    for start in range(0, len(branches), _BATCH):
        reads = [Key(plan_keys.rr_plan(b.branch, b.n)) for b in branches[start : start + _BATCH]]
        snapshot = await store.snapshot(reads)
        if not all(snapshot.answers):
            raise _lost(plan, "the newest RR-plan of a branch")
        newest += [rr_plan_at(answer[0]) for answer in snapshot.answers]
    return list(zip(branches, newest, strict=True))


async def rr_plan_of(store: Reads, plan: str, ref: BranchRef) -> tuple[Branch, RRPlan]:
    """As `rr_plan_detail`, without the revision."""
    detail = await rr_plan_detail(store, plan, ref)
    return detail.branch, detail.rr_plan


async def rr_plan_detail(store: Reads, plan: str, ref: BranchRef) -> RRPlanDetail:
    """The branch and RR-plan that `ref` names (the newest RR-plan where it names no `n`).

    Cost: two round trips. Raises NotFound, Ambiguous.
    """
    plan_keys = keys.PlanKeys(plan)
    found = await store.snapshot([Prefix(plan_keys.branch(ref.prefix))])
    branches = [branch_at(plan_keys, kv) for kv in found.answers[0]]
    chosen = choose_branch(plan, ref, branches)
    n = chosen.n if ref.n is None else ref.n
    snapshot = await store.snapshot([Key(plan_keys.rr_plan(chosen.branch, n))])
    if not snapshot.answers[0]:
        if 1 <= n <= chosen.n:
            raise _lost(plan, f"RR-plan {n} of branch {chosen.short}")
        msg = f"{plan} has no RR-plan {n} of branch {chosen.short}."
        raise NotFound(msg, plan=plan, branch=chosen.branch)
    return RRPlanDetail(chosen, rr_plan_at(snapshot.answers[0][0]), snapshot.revision)


def _lost(plan: str, what: str) -> MalformedRecord:
    return MalformedRecord(f"{plan} has lost {what}.", plan=plan)


def choose_branch(plan: str, ref: BranchRef, found: list[Branch]) -> Branch:
    """The branch that `ref` names among those that start so: its own short form wins.

    Raises:
        NotFound, Ambiguous: none, or several.
    """
    chosen = [branch for branch in found if branch.short == ref.prefix] or found
    if not chosen:
        raise NotFound(f"{plan} has no branch {ref.prefix}.", plan=plan, branch=ref.prefix)
    if len(chosen) > 1:
        raise Ambiguous(
            f"{ref.prefix} fits {len(chosen)} branches.",
            candidates=[branch.branch for branch in chosen],
        )
    return chosen[0]
