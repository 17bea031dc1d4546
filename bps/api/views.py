"""What reading commands print, where that is not a record itself."""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from bps.core.error_catalogue import Explanation
from bps.plans.cloudevents import CloudEvent, rfc3339
from bps.plans.model import Branch, RRPlan
from bps.plans.read import PlanDetail
from bps.plans.reviews import Review
from bps.policy.model import Policy


class View(BaseModel):
    """Base of printed data; numbers that count revisions are decimal strings, as in the log."""

    model_config = ConfigDict(extra="forbid")


class PlanView(View):
    """`bps plan show`; `open_review` is the review in which something waits for a person."""

    plan: str
    initiative: str
    title: str
    status: str
    registered_at: str
    registered_by: str
    canonical_version: str
    canonical_digest: str
    canonical_etag: str
    events: str
    head: str
    open_review: str | None = None

    @classmethod
    def of(cls, detail: PlanDetail) -> PlanView:
        """From what was read."""
        plan, canonical = detail.plan, detail.canonical
        return cls(
            plan=plan.plan,
            initiative=plan.initiative,
            title=plan.title,
            status=plan.status,
            registered_at=rfc3339(plan.registered_ms),
            registered_by=plan.registered_by,
            canonical_version=str(canonical.version),
            canonical_digest=canonical.digest,
            canonical_etag=f"{canonical.version}-{canonical.digest}",
            events=str(detail.head.seq),
            head=detail.head.hash,
            open_review=detail.review.review if detail.review is not None else None,
        )


class BranchView(View):
    """A row of `bps branch list`; `in_review` names the open review that the RR-plan waits in."""

    rr_plan: str
    state: str
    branch: str
    n: str
    fingerprint: str
    trace_id: str
    linked_traces: str
    base_version: str
    parent_rr: str | None
    in_review: str | None = None

    @classmethod
    def of(cls, branch: Branch, rr_plan: RRPlan, review: Review | None = None) -> BranchView:
        """From a branch and its newest RR-plan; `review` is the plan's open one."""
        inside = () if review is None else [each.rr_plan for each in review.contributors]
        return cls(
            rr_plan=rr_plan.rr_plan,
            state=rr_plan.state.value,
            branch=branch.branch,
            n=str(rr_plan.n),
            fingerprint=branch.fingerprint,
            trace_id=branch.trace_id,
            linked_traces=str(branch.linked_total),
            base_version=str(rr_plan.base_version),
            parent_rr=rr_plan.parent_rr,
            in_review=review.review if review and rr_plan.rr_plan in inside else None,
        )


class Change(View):
    """One difference between two blueprints; `path` is a JSON pointer (RFC 6901)."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None

    def row(self) -> dict[str, str]:
        """For a table: values as JSON, which tells text from numbers, booleans and null."""
        return {
            "path": self.path,
            "kind": self.kind,
            "before": "-" if self.kind == "added" else _literal(self.before),
            "after": "-" if self.kind == "removed" else _literal(self.after),
        }


def _literal(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return orjson.dumps(value, default=str).decode()


class DiffView(View):
    """`bps diff`: `identical` bytes have no changes; other bytes may have none in their data."""

    plan: str
    left: str
    right: str
    identical: bool
    changes: list[Change]


class PublishedView(View):
    """A row of `bps events`; `id` is what `--after` takes."""

    id: str
    event: CloudEvent


class PolicyView(View):
    """`bps policy show`: the policy in force, and the entity tag that replacing it asks for."""

    n: str
    max_blueprint_bytes: int
    max_contributors: int
    max_live_descendants: int
    max_branches: int
    max_linked_traces: int
    merge: dict[str, str]
    validators: list[dict[str, Any]]
    etag: str

    @classmethod
    def of(cls, policy: Policy, etag: str) -> PolicyView:
        """From what was read."""
        return cls(n=str(policy.n), etag=etag, **policy.rules)


class CheckView(View):
    """A row of `bps doctor`."""

    check: str
    status: Literal["ok", "warning", "failed"]
    detail: str
    next_action: str


class ExplanationView(View):
    """`bps explain`."""

    code: str
    meaning: str
    retryable: bool
    http_status: int
    exit_code: int
    problem_type: str
    next_action: str

    @classmethod
    def of(cls, row: Explanation) -> ExplanationView:
        """From a row of the catalogue."""
        return cls.model_validate(row, from_attributes=True)
