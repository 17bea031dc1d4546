"""What became of running validators: findings with lines, and who said so with which rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from bps.core.codec import canonical_json, sha256_hex
from bps.validation.api import Severity


class Outcome(StrEnum):
    """How one validator ended; all but `completed` block by a finding of the same code."""

    COMPLETED = "completed"
    MISSING = "validator-missing"
    AMBIGUOUS = "validator-ambiguous"
    BROKEN = "validator-broken"
    MISCONFIGURED = "validator-misconfigured"
    CRASHED = "validator-crashed"
    TIMED_OUT = "validator-timed-out"
    OUT_OF_MEMORY = "validator-out-of-memory"


@dataclass(frozen=True, slots=True)
class CandidateText:
    """What is to be judged, as text that the blueprint profile accepts.

    Attributes:
        base: the canonical blueprint before, or None.
        branches: the contributors' blueprints, by the name of their RR-plans.
        merged: the blueprint that is to become canonical.
        policy: the limits of the policy in force, by name; validators may read them.
    """

    base: str | None
    branches: Mapping[str, str]
    merged: str
    policy: Mapping[str, int]


@dataclass(frozen=True)
class Allowed:
    """A validator that the policy asks for, with its configuration (JSON data)."""

    name: str
    config: dict[str, Any]

    @cached_property
    def config_digest(self) -> str:
        """SHA-256 of the configuration's canonical JSON."""
        return sha256_hex(canonical_json(self.config))


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """A finding with the validator that said it and the line of the merged text, from 1."""

    validator: str
    severity: Severity
    path: str
    line: int | None
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ValidatorRun:
    """Which validator ran, exactly: this goes into the promotion's record.

    Attributes:
        name: of the entry point.
        distribution: of the package it comes from; "" where none was found.
        version: of that distribution.
        config_digest: SHA-256 of the configuration's canonical JSON.
        outcome: how it ended.
        duration_ms: wall clock, for people; no part of a decision.
    """

    name: str
    distribution: str
    version: str
    config_digest: str
    outcome: Outcome
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """All findings, sorted by path, code, validator and message; the runs, sorted by name."""

    findings: tuple[LocatedFinding, ...]
    runs: tuple[ValidatorRun, ...]

    @property
    def blocking(self) -> bool:
        """Whether promotion must not go on: an error, or a validator that did not complete."""
        failed = any(run.outcome is not Outcome.COMPLETED for run in self.runs)
        return failed or any(each.severity is Severity.ERROR for each in self.findings)


def report_of(findings: list[LocatedFinding], runs: list[ValidatorRun]) -> ValidationReport:
    """A report in its one order."""
    ordered = sorted(findings, key=lambda f: (f.path, f.code, f.validator, f.message, f.hint))
    return ValidationReport(tuple(ordered), tuple(sorted(runs, key=lambda run: run.name)))
