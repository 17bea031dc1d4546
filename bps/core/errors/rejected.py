"""The request is well-formed, but the state does not allow it."""

from __future__ import annotations

from bps.core.errors.base import BpsError, Fact


class Rejected(BpsError):
    """The request is well-formed, but the state does not allow it."""

    code = "REJECTED"


class PreconditionFailed(Rejected):
    """The resource is not the one that `If-Match` names any more. facts: etag."""

    code = "PRECONDITION_FAILED"


class MergeConflict(Rejected):
    """A three-way merge needs a human (R7)."""

    code = "MERGE_CONFLICT"


class MergeTooLong(Rejected):
    """A merge takes longer than it may: it was stopped more than once (R7)."""

    code = "MERGE_TOO_LONG"


class ReviewHeld(Rejected):
    """A reviewer works on the plan's review, and others wait. facts: review, by, until_ms."""

    code = "REVIEW_HELD"


class ValidationFailed(Rejected):
    """A semantic validator vetoed the result (R7)."""

    code = "VALIDATION_FAILED"


class DepthExceeded(Rejected):
    """A regression goes back too far without the consent it needs (R3)."""

    code = "DEPTH_EXCEEDED"


class Frozen(Rejected):
    """Governance froze promotions of this initiative (R8)."""

    code = "FROZEN"


class LimitExceeded(Rejected):
    """A bound of the policy or of the design would be passed. facts: limit, value."""

    code = "LIMIT_EXCEEDED"


class ClockNullified(Rejected):
    """The RR-plan emitted VC_NULLIFY: no later event of it is accepted (R11)."""

    code = "CLOCK_NULLIFIED"


class ApprovalsMissing(Rejected):
    """Too few holders of the key registry have approved the change. facts: needed, counted."""

    code = "APPROVALS_MISSING"


class WrongState(Rejected):
    """What the request names is not in a state that allows this act. facts: state."""

    code = "WRONG_STATE"


_LISTED_BY = (
    ("review", "List the plan's reviews: `bps review list {plan}`."),
    ("rr_plan", "List the plan's branches: `bps branch list {plan}`."),
    ("branch", "List the plan's branches: `bps branch list {plan}`."),
    ("version", "Look at the plan's log: `bps log {plan}`."),
    ("digest", "Look at the plan's log: `bps log {plan}`."),
    ("checkpoint", "List what is there: `bps checkpoint list`."),
    ("plan", "List what is there: `bps plan list`."),
)
"""Where to look for what a fact names; what is inside of something comes before it."""


class NotFound(Rejected):
    """No such record."""

    code = "NOT_FOUND"

    def __init__(self, message: str, **facts: Fact) -> None:
        super().__init__(message, **facts)
        advice = next((advice for name, advice in _LISTED_BY if name in facts), None)
        if advice is not None:
            # The ids of what a plan holds begin with the plan's.
            inside = str(facts.get("plan") or facts.get("review") or facts.get("rr_plan") or "")
            plan = inside.partition("-RV")[0].partition("-RR(")[0] or "PLAN"
            self.next_action = advice.format(plan=plan)


class Exists(Rejected):
    """The record exists already with other content."""

    code = "EXISTS"


class Ambiguous(Rejected):
    """A short reference fits more than one record. facts: candidates."""

    code = "AMBIGUOUS"


class WorkspaceConflict(Rejected):
    """A workspace file holds content that the store does not know; it was not overwritten (R5)."""

    code = "WORKSPACE_CONFLICT"
