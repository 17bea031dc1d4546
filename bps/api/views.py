"""What reading commands print; published as JSON Schemas in docs/schemas."""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from bps.api.checkpoints import CheckpointView
from bps.api.contexts import ContextView
from bps.api.initiatives import InitiativeView
from bps.api.keys import GeneratedKey, KeyView, SignedStatement
from bps.api.merging import MergeView
from bps.api.origins import OriginsView
from bps.api.setup import InitView
from bps.api.tokens import IssuedToken, TokenView
from bps.api.validation import ValidationView, ValidatorCheckView, ValidatorView
from bps.core.error_catalogue import Explanation
from bps.identity.prune import Pruning
from bps.initiatives.model import Initiative
from bps.keyring.model import KeyResult, KeyStatement
from bps.leadership.operator_mode import OperatorMode
from bps.plans.cloudevents import CloudEvent, rfc3339
from bps.plans.model import Branch, Plan, RRPlan, Version
from bps.plans.read import PlanDetail
from bps.plans.results import BranchResult, PlanResult
from bps.plans.reviews import Review
from bps.policy.model import Policy
from bps.promotion.results import PromotionResult
from bps.replay.replay import Replayed
from bps.replay.verify import Verified
from bps.review.results import ReviewResult
from bps.review.sheet import ReviewSheet
from bps.workspace.sync import SyncReport


class View(BaseModel):
    """Base of printed data; numbers that count revisions are decimal strings, as in the log."""

    model_config = ConfigDict(extra="forbid")


class PlanView(View):
    """`bps plan show`."""

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
        )


class BranchView(View):
    """A row of `bps branch list`."""

    rr_plan: str
    state: str
    branch: str
    n: str
    fingerprint: str
    trace_id: str
    linked_traces: str
    base_version: str
    parent_rr: str | None

    @classmethod
    def of(cls, branch: Branch, rr_plan: RRPlan) -> BranchView:
        """From a branch and its newest RR-plan."""
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
        return cls(
            code=row.code,
            meaning=row.meaning,
            retryable=row.retryable,
            http_status=row.http_status,
            exit_code=row.exit_code,
            problem_type=row.problem_type,
            next_action=row.next_action,
        )


OUTPUTS: dict[str, Any] = {
    "init": InitView,
    "token-create": IssuedToken,
    "token-list": list[TokenView],
    "token-rotate": IssuedToken,
    "token-revoke": TokenView,
    "token-prune": Pruning,
    "keys-add": KeyResult,
    "keys-list": list[KeyView],
    "keys-rotate": KeyResult,
    "keys-revoke": KeyResult,
    "keys-statement": KeyStatement,
    "keys-sign": SignedStatement,
    "keys-generate": GeneratedKey,
    "keys-public": GeneratedKey,
    "checkpoint-list": list[CheckpointView],
    "checkpoint-show": CheckpointView,
    "initiative-create": Initiative,
    "initiative-list": list[InitiativeView],
    "initiative-show": Initiative,
    "plan-register": PlanResult,
    "plan-show": PlanView,
    "plan-list": list[Plan],
    "branch-open": BranchResult,
    "branch-submit": BranchResult,
    "branch-fail": BranchResult,
    "branch-rebase": BranchResult,
    "branch-show": RRPlan,
    "branch-list": list[BranchView],
    "promote": PromotionResult,
    "review-list": list[Review],
    "review-show": ReviewSheet,
    "review-claim": ReviewResult,
    "review-release": ReviewResult,
    "review-resolve": ReviewResult | PromotionResult,
    "review-complete": PromotionResult,
    "review-reject": ReviewResult,
    "revert": PromotionResult,
    "canonical": Version,
    "diff": DiffView,
    "origins": OriginsView,
    "merge": MergeView,
    "mode-show": OperatorMode,
    "mode-read-only": OperatorMode,
    "mode-read-write": OperatorMode,
    "policy-show": PolicyView,
    "policy-set": Policy,
    "log": list[CloudEvent],
    "events": list[PublishedView],
    "verify": list[Verified],
    "replay": list[Replayed],
    "context-add": ContextView,
    "context-list": list[ContextView],
    "context-show": ContextView,
    "context-use": ContextView,
    "context-remove": ContextView,
    "sync": list[SyncReport],
    "validators-list": list[ValidatorView],
    "validators-doctor": list[ValidatorCheckView],
    "validators-run": ValidationView,
    "doctor": list[CheckView],
    "explain": list[ExplanationView],
}
"""The type that each command prints with `-o json`."""
