"""From the records of a plan to the work that makes a candidate of some of its RR-plans."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from bps.candidates.inputs import Rules, Source
from bps.candidates.law_1 import law_1
from bps.candidates.work import CandidateWork
from bps.core.codec import canonical_json
from bps.merge.records import Resolution
from bps.merge.semantic import Decision
from bps.plans.book import PlanBook
from bps.plans.model import RRPlan, Version
from bps.plans.reviews import ReviewResolution
from bps.policy.model import PolicyInForce


def untouched_result(canonical: Version, contributors: Sequence[RRPlan]) -> str | None:
    """The digest that law 1 tells; None: a real merge has to. No blueprint is read for this."""
    edits = [(each.base_digest, each.digest or "") for each in contributors]
    return law_1(canonical.digest, edits)


def candidate_work(
    book: PlanBook,
    contributors: Sequence[RRPlan],
    resolutions: Sequence[ReviewResolution] = (),
    *,
    looked_at: bool = False,
    partial: bool = False,
    parted: bool = False,
) -> CandidateWork:
    """The work for `contributors`, which are in the total order."""
    return CandidateWork(
        plan=book.state.keys.plan,
        canonical=book.state.need_canonical().digest,
        sources=tuple(
            Source(each.rr_plan, each.base_digest, each.digest or "", each.submitted_by)
            for each in contributors
        ),
        rules=rules_of(book.policy_in_force),
        resolutions=tuple(
            Decision(each.conflict, each.path, Resolution(each.take, each.text))
            for each in resolutions
        ),
        looked_at=looked_at,
        partial=partial,
        parted=parted,
    )


@lru_cache(maxsize=4)
def rules_of(in_force: PolicyInForce) -> Rules:
    """What of a policy decides about candidates. Once per stored policy."""
    policy = in_force.policy
    limits = {name: value for name, value in policy.rules.items() if isinstance(value, int)}
    return Rules(
        strategies=tuple(sorted(policy.merge.items())),
        validators=tuple((each.name, canonical_json(each.config)) for each in policy.validators),
        limits=tuple(sorted(limits.items())),
    )
