"""Whether an event may follow the state of its plan (R6, R11).

Decisions make only such events; replay holds forged ones against the same rules, so that a log
whose hashes were all made anew still cannot tell of a promotion that was never allowed.
"""

from __future__ import annotations

from bps.core.errors import MalformedRecord
from bps.plans.events import (
    BlueprintPromoted,
    Body,
    BranchOpened,
    BranchSucceeded,
    Envelope,
    PlanRegistered,
    TraceLinked,
    VcNullify,
)
from bps.plans.evolve import PlanState
from bps.plans.legality_review import review_objection
from bps.plans.merge_record import MergeRecord
from bps.plans.model import Contributor, State, Version
from bps.plans.review_events import ReviewBody


def check_legal(state: PlanState, event: Envelope, body: Body) -> None:
    """Raises MalformedRecord where `event` does not follow from `state`."""
    why = _objection(state, event, body)
    if why is not None:
        raise MalformedRecord(f"Event {event.seq} ({event.type}) is not allowed: {why}.")


def _objection(state: PlanState, event: Envelope, body: Body) -> str | None:
    if isinstance(body, PlanRegistered):
        return None if state.plan is None and event.seq == 1 else "the plan is registered already"
    if state.canonical is None:
        return "the plan is not registered"
    if isinstance(body, BlueprintPromoted):
        return _of_promotion(state, state.canonical, body)
    if isinstance(body, BranchOpened):
        return _of_opening(state, state.canonical, event, body)
    if isinstance(body, ReviewBody):
        by = event.op.partition("/")[0]
        return review_objection(
            state.review, state.canonical, state.rr_plans, body, time_ms=event.time_ms, by=by
        )
    if isinstance(body, TraceLinked) and event.rr is None:
        return None if event.branch in state.branches else "its branch was never opened"
    return _of_act(state, event, body)


def _of_act(
    state: PlanState, event: Envelope, body: TraceLinked | BranchSucceeded | VcNullify
) -> str | None:
    rr_plan = state.rr_plans.get((event.branch or "", event.rr or 0))
    if rr_plan is None or not rr_plan.state.live:
        return "its RR-plan is not live"
    if isinstance(body, BranchSucceeded) and rr_plan.state is not State.OPEN:
        return f"its RR-plan is {rr_plan.state.value}"
    if isinstance(body, VcNullify) and not (
        body.status.obsolete
        and body.rr_plan == rr_plan.rr_plan
        and body.last_counter == rr_plan.clock.get(rr_plan.branch)
    ):
        return "it nullifies something else"
    return None


def _of_opening(
    state: PlanState, canonical: Version, event: Envelope, body: BranchOpened
) -> str | None:
    known = state.branches.get(event.branch or "")
    if event.rr != (known.n + 1 if known else 1):
        return "its number is not the next one"
    if (body.base_version, body.base_digest) != (canonical.version, canonical.digest):
        return "its base was not canonical"
    return None


def _of_promotion(state: PlanState, canonical: Version, body: BlueprintPromoted) -> str | None:
    if (body.base_version, body.version) != (canonical.version, canonical.version + 1):
        return "its version does not follow the canonical one"
    if body.how == "revert":
        legal = not body.contributors and 0 < (body.reverted_to or 0) < body.version
        return None if legal else "a revert names an older version and no contributor"
    if not body.contributors or body.reverted_to is not None:
        return "a promotion has contributors"
    if len({(each.branch, each.n) for each in body.contributors}) < len(body.contributors):
        return "a contributor is named twice"
    if not all(_contributed(state, body, each) for each in body.contributors):
        return "a contributor has not succeeded with that blueprint"
    if body.merge is not None:
        return _of_merge(state, canonical, body, body.merge)
    if all(each.state is not State.PROMOTED for each in body.contributors):
        return "nobody submitted its blueprint"
    return None


def _of_merge(
    state: PlanState, canonical: Version, body: BlueprintPromoted, merge: MergeRecord
) -> str | None:
    """A merged blueprint is nobody's submission; what it was made of is held instead (ADR 0026)."""
    if not merge.engine:
        return "it names no merge engine"
    bases = [state.need_rr_plan(each.branch, each.n).base_digest for each in body.contributors]
    if (merge.canonical_digest, merge.bases) != (canonical.digest, bases):
        return "it was merged from something else"
    if merge.origins is None and all(e.state is not State.PROMOTED for e in body.contributors):
        return "it names no report of what came from where"
    review = state.review
    named = review.review if review is not None and review.is_open else None
    if merge.review not in {None, named}:
        return "its review is not open"
    if not merge.resolutions:
        return None
    decided = {
        (each.conflict, each.take, each.text, each.by)
        for each in (review.resolutions if review is not None and review.is_open else ())
    }
    applied = {(each.conflict, each.take, each.text, each.by) for each in merge.resolutions}
    return None if applied <= decided else "nobody decided a conflict so"


def _contributed(state: PlanState, body: BlueprintPromoted, each: Contributor) -> bool:
    rr_plan = state.rr_plans.get((each.branch, each.n))
    became = State.PROMOTED if each.digest == body.digest else State.OBSOLETE_MERGED
    return (
        rr_plan is not None
        and rr_plan.state is State.SUCCEEDED
        and (rr_plan.rr_plan, rr_plan.digest) == (each.rr_plan, each.digest)
        and each.state is became
        and (each.state is not State.PROMOTED or rr_plan.size_bytes == body.size_bytes)
    )
