"""Asking one bundled validator, without a process."""

from __future__ import annotations

from typing import Any

from bps.blueprint.data import load
from bps.validation.api import Candidate, Finding, Validator


def judged(
    validator: Validator,
    merged: str,
    *,
    base: str | None = None,
    branches: dict[str, str] | None = None,
    config: dict[str, Any] | None = None,
) -> list[Finding]:
    """Its findings on YAML text, in their order."""
    candidate = Candidate(
        base=None if base is None else load(base),
        branches={name: load(text) for name, text in (branches or {}).items()},
        merged=load(merged),
        merged_text=merged,
        config=config or {},
        policy={},
    )
    return list(validator.validate(candidate))


def places(findings: list[Finding]) -> list[tuple[str, str]]:
    """Where, and which rule."""
    return [(each.path, each.code) for each in findings]
