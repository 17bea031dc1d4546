"""Identifiers: parsed and printed here and nowhere else (R2, R4); anything else is refused."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from bps.core.errors import InvalidId, NotFound

CANONICAL_ACTOR: Final = "canonical"
REVIEW_ACTOR: Final = "review"
"""Counts the events of a plan's reviews; no clock of a blueprint or a branch has it."""
SERVICE_PRINCIPAL: Final = "bps"
"""Who acts where the service itself does; no credential can be its."""
SHORT_BRANCH_LENGTH: Final = 8
BRANCH_ID_LENGTH: Final = 40

# Forms are what schemas publish as `pattern`, between `^` and `$`.
PLAN_FORM: Final = r"EP-[1-9][0-9]{0,9}"
RR_PLAN_FORM: Final = rf"{PLAN_FORM}-RR\(br[0-9a-f]{{8,40}}\)-[1-9][0-9]{{0,9}}"
BRANCH_FORM: Final = rf"((br)?[0-9a-f]{{8,40}}|{RR_PLAN_FORM})"
REVIEW_FORM: Final = rf"{PLAN_FORM}-RV[1-9][0-9]{{0,9}}"
BRANCH_ID_FORM: Final = r"[0-9a-f]{40}"
REVIEW_OF_PLAN_FORM: Final = rf"({REVIEW_FORM}|[1-9][0-9]{{0,9}})"
INITIATIVE_FORM: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
PRINCIPAL_FORM: Final = r"[a-z0-9][a-z0-9._@-]{0,63}"
OPERATION_FORM: Final = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}"

_PLAN = re.compile(PLAN_FORM)
_BRANCH = re.compile(BRANCH_ID_FORM)
_BRANCH_PREFIX = re.compile(r"(?:br)?([0-9a-f]{8,40})")
_RR_PLAN = re.compile(rf"({PLAN_FORM})-RR\(br([0-9a-f]{{8,40}})\)-([1-9][0-9]{{0,9}})")
_REVIEW = re.compile(rf"({PLAN_FORM})-RV([1-9][0-9]{{0,9}})")
_INITIATIVE = re.compile(INITIATIVE_FORM)
_PRINCIPAL = re.compile(PRINCIPAL_FORM)
_OPERATION = re.compile(OPERATION_FORM)
_TEXT_MAX_LENGTH = 200
_SHOWN_LENGTH = 60


def _match(pattern: re.Pattern[str], text: str, what: str, example: str) -> re.Match[str]:
    matched = pattern.fullmatch(text)
    if matched is None:
        shown = ascii(text[:_SHOWN_LENGTH]) + ("..." if len(text) > _SHOWN_LENGTH else "")
        raise InvalidId(f"{shown} is not {what}; one looks like {example}.", expected=example)
    return matched


def plan_id(text: str) -> str:
    """`EP-42`: an execution plan. Raises InvalidId."""
    return _match(_PLAN, text, "a plan id", "EP-42")[0]


def initiative_id(text: str) -> str:
    """Lower-case letters, digits and inner hyphens, at most 63. Raises InvalidId."""
    return _match(_INITIATIVE, text, "an initiative id", "checkout-2026")[0]


def principal(text: str) -> str:
    """Who acts: lower case, at most 64 characters. Raises InvalidId."""
    return _match(_PRINCIPAL, text, "a principal", "supervisor-1")[0]


def operation_id(text: str) -> str:
    """An idempotency key, unique per principal, at most 128 characters. Raises InvalidId."""
    return _match(_OPERATION, text, "an operation id", "promote-2026-11-21.1")[0]


def branch_id(text: str) -> str:
    """A full branch id: 40 hexadecimal digits. Raises InvalidId."""
    return _match(_BRANCH, text, "a branch id", "1a2b3c4d" + "0" * 32)[0]


def label(text: str, what: str) -> str:
    """A trace id or fingerprint: 1-200 printable characters without spaces at the ends.

    Raises InvalidId.
    """
    if not (0 < len(text) <= _TEXT_MAX_LENGTH and text.isprintable() and text == text.strip()):
        msg = f"The {what} must be 1-{_TEXT_MAX_LENGTH} printable characters on one line."
        raise InvalidId(msg, field=what)
    return text


def branch_id_of(trace_id: str, fingerprint: str | None = None) -> str:
    """SHA-1(trace_id), or SHA-1(trace_id LF fingerprint) where the trace names a branch already.

    Source: R2 and design, "Branches and RR-plans". An identifier, not a security boundary.
    """
    text = trace_id if fingerprint is None else f"{trace_id}\n{fingerprint}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def fingerprint_of(component: str, failure_class: str, location: str) -> str:
    """SHA-256 of the normalised component, failure class and location (R1).

    Normalised: white space runs become one space, ends stripped, lower case.
    """
    parts = (" ".join(part.split()).lower() for part in (component, failure_class, location))
    return "sha256:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RRPlanId:
    """`EP-42-RR(br1a2b3c4d)-1`: revision `n` of a branch; `branch` may be a prefix of >= 8."""

    plan: str
    branch: str
    n: int

    @classmethod
    def parse(cls, text: str) -> RRPlanId:
        """Raises InvalidId."""
        found = _match(_RR_PLAN, text, "an RR-plan id", "EP-42-RR(br1a2b3c4d)-1")
        return cls(found[1], found[2], int(found[3]))

    def __str__(self) -> str:
        return f"{self.plan}-RR(br{self.branch})-{self.n}"


@dataclass(frozen=True, slots=True)
class ReviewId:
    """`EP-42-RV1`: review `n` of a plan."""

    plan: str
    n: int

    @classmethod
    def parse(cls, text: str) -> ReviewId:
        """Raises InvalidId."""
        found = _match(_REVIEW, text, "a review id", "EP-42-RV1")
        return cls(found[1], int(found[2]))

    @classmethod
    def of_plan(cls, plan: str, text: str) -> ReviewId:
        """`EP-42-RV1` of `plan`, or its number alone.

        Raises:
            InvalidId: it is neither.
            NotFound: it is of another plan.
        """
        named = cls.parse(text if text.startswith("EP-") else f"{plan}-RV{text}")
        if named.plan != plan:
            raise NotFound(f"{plan} has no review {named}.", review=str(named))
        return named

    def __str__(self) -> str:
        return f"{self.plan}-RV{self.n}"


@dataclass(frozen=True, slots=True)
class BranchRef:
    """How a person names a branch or RR-plan: a hex prefix, and `n` where it was given."""

    prefix: str
    n: int | None

    @classmethod
    def parse(cls, plan: str, text: str) -> BranchRef:
        """`br1a2b3c4d`, `1a2b3c4d`, the full hash, or an RR-plan id of `plan`.

        Raises InvalidId.
        """
        if text.startswith("EP-"):
            rr_plan = RRPlanId.parse(text)
            if rr_plan.plan != plan:
                raise InvalidId(f"{text} is not an RR-plan of {plan}.", expected=plan)
            return cls(rr_plan.branch, rr_plan.n)
        found = _match(_BRANCH_PREFIX, text, "a branch", "br1a2b3c4d or EP-42-RR(br1a2b3c4d)-1")
        return cls(found[1], None)
