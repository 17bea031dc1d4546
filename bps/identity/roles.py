"""Roles, operations, and the one table of who may do what (R12; design, "Edges")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a principal is to the service; one may have several."""

    SUPERVISOR = "supervisor"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    AGENT = "agent"


PURPOSE: Mapping[Role, str] = {
    Role.SUPERVISOR: "runs plans: registers them, opens and rebases branches, promotes, reverts",
    Role.REVIEWER: "decides reviews: claims, resolves, rejects, and completes what it decided",
    Role.OPERATOR: "runs the service: tokens, keys, policy, initiatives; it does not promote",
    Role.AUDITOR: "checks all of it, tokens and checkpoints too; it changes nothing",
    Role.AGENT: "repairs: hands in the fix of a branch, or gives it up",
}
"""What each role is for, in a line."""


class Operation(StrEnum):
    """What can be asked of the service; each route names exactly one."""

    IDENTITY_READ = "identity.read"
    PLAN_READ = "plan.read"
    PLAN_REGISTER = "plan.register"
    BRANCH_OPEN = "branch.open"
    BRANCH_SUBMIT = "branch.submit"
    BRANCH_FAIL = "branch.fail"
    BRANCH_REBASE = "branch.rebase"
    PROMOTE = "promotion.promote"
    REVERT = "promotion.revert"
    REVIEW_CLAIM = "review.claim"
    REVIEW_RELEASE = "review.release"
    REVIEW_RESOLVE = "review.resolve"
    REVIEW_COMPLETE = "review.complete"
    REVIEW_REJECT = "review.reject"
    EVENTS_READ = "events.read"
    PROOF_RUN = "proof.run"
    DOCTOR_READ = "doctor.read"
    MODE_READ = "mode.read"
    MODE_WRITE = "mode.write"
    POLICY_READ = "policy.read"
    POLICY_REPLACE = "policy.replace"
    INITIATIVE_READ = "initiative.read"
    INITIATIVE_CREATE = "initiative.create"
    TOKEN_READ = "token.read"  # noqa: S105 - an operation's name
    TOKEN_WRITE = "token.write"  # noqa: S105 - an operation's name
    KEY_READ = "key.read"
    KEY_WRITE = "key.write"
    CHECKPOINT_READ = "checkpoint.read"
    ROLLBACK_ACCEPT = "rollback.accept"


_ALL = frozenset(Role)
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_REVIEWER = frozenset({Role.REVIEWER})
_OPERATOR = frozenset({Role.OPERATOR})
_RELEASES_OTHERS = frozenset({Role.SUPERVISOR, Role.OPERATOR})

ALLOWED: Mapping[Operation, frozenset[Role]] = {
    Operation.IDENTITY_READ: _ALL,
    Operation.PLAN_READ: _ALL,
    Operation.PLAN_REGISTER: frozenset({Role.SUPERVISOR, Role.OPERATOR}),
    Operation.BRANCH_OPEN: _SUPERVISOR,
    Operation.BRANCH_SUBMIT: frozenset({Role.SUPERVISOR, Role.AGENT}),
    Operation.BRANCH_FAIL: frozenset({Role.SUPERVISOR, Role.AGENT}),
    Operation.BRANCH_REBASE: _SUPERVISOR,
    Operation.PROMOTE: _SUPERVISOR,
    Operation.REVERT: _SUPERVISOR,
    Operation.REVIEW_CLAIM: _REVIEWER,
    Operation.REVIEW_RELEASE: frozenset({Role.REVIEWER, *_RELEASES_OTHERS}),
    Operation.REVIEW_RESOLVE: _REVIEWER,
    Operation.REVIEW_COMPLETE: frozenset({Role.SUPERVISOR, Role.REVIEWER}),
    Operation.REVIEW_REJECT: _REVIEWER,
    Operation.EVENTS_READ: _ALL,
    Operation.PROOF_RUN: frozenset({Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR}),
    Operation.DOCTOR_READ: frozenset({Role.OPERATOR, Role.AUDITOR}),
    Operation.MODE_READ: _ALL,
    Operation.MODE_WRITE: _OPERATOR,
    Operation.POLICY_READ: _ALL,
    Operation.POLICY_REPLACE: _OPERATOR,
    Operation.INITIATIVE_READ: _ALL,
    Operation.INITIATIVE_CREATE: frozenset({Role.SUPERVISOR, Role.OPERATOR}),
    Operation.TOKEN_READ: frozenset({Role.OPERATOR, Role.AUDITOR}),
    Operation.TOKEN_WRITE: _OPERATOR,
    Operation.KEY_READ: _ALL,
    Operation.KEY_WRITE: _OPERATOR,
    Operation.CHECKPOINT_READ: frozenset({Role.OPERATOR, Role.AUDITOR}),
    Operation.ROLLBACK_ACCEPT: _OPERATOR,
}
"""Creating and promoting RR-plans is the supervisor's and its sidecar's (R12). Completing a review
publishes what that promotion left to a person; the sidecar promotes it (ADR 0027)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated caller. `credential` is the id of the token or certificate record."""

    principal: str
    roles: frozenset[Role]
    credential: str

    def may(self, operation: Operation) -> bool:
        """Whether one of the roles allows it."""
        return not self.roles.isdisjoint(ALLOWED[operation])

    @property
    def may_release_others(self) -> bool:
        """Whether it may end another's claim on a review."""
        return not self.roles.isdisjoint(_RELEASES_OTHERS)
