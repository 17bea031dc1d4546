"""Which files show a plan, and what each must hold. Pure; blueprints are named by digest only."""

from __future__ import annotations

from dataclasses import dataclass

from bps.core.codec import sha256_hex
from bps.plans.model import RRPlan, Version
from bps.workspace.documents import (
    CANONICAL_JSON,
    CANONICAL_YAML,
    RR_PLAN_JSON,
    Document,
    describe_canonical,
    describe_rr_plan,
    fork_name,
)
from bps.workspace.source import PlanFacts


@dataclass(frozen=True, slots=True)
class Projection:
    """One file. `data` is None for a blueprint: its bytes are the blob named `digest`."""

    name: str
    digest: str
    data: bytes | None


def of_canonical(plan: PlanFacts, canonical: Version) -> tuple[Projection, ...]:
    """The files of `<root>/<plan>/`: the blueprint first, then the document that names it."""
    return (
        Projection(CANONICAL_YAML, canonical.digest, None),
        _document(CANONICAL_JSON, describe_canonical(plan, canonical)),
    )


def of_rr_plan(rr_plan: RRPlan) -> tuple[Projection, ...]:
    """The files of `<root>/<plan>/<rr-plan>/`: what was submitted, before that the fork's base."""
    return (
        Projection(fork_name(rr_plan.n), rr_plan.digest or rr_plan.base_digest, None),
        _document(RR_PLAN_JSON, describe_rr_plan(rr_plan)),
    )


def _document(name: str, document: Document) -> Projection:
    data = document.render()
    return Projection(name, sha256_hex(data), data)
