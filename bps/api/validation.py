"""What `bps validators` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bps.validation.api import Severity
from bps.validation.report import Outcome, ValidationReport, ValidatorRun


class View(BaseModel):
    """Base of what is printed here."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ValidatorView(View):
    """A row of `bps validators list`: one that is installed, or that the policy asks for."""

    name: str
    version: str | None
    distribution: str | None
    installed: bool
    allowed: bool


class ValidatorCheckView(View):
    """A row of `bps validators doctor`."""

    name: str
    status: Literal["ok", "failed"]
    outcome: Outcome
    version: str
    distribution: str
    duration_ms: int
    detail: str
    next_action: str

    @classmethod
    def of(cls, run: ValidatorRun, report: ValidationReport) -> ValidatorCheckView:
        """From a run of the self-check."""
        ok = run.outcome is Outcome.COMPLETED
        why = None if ok else next(f for f in report.findings if f.validator == run.name)
        return cls(
            name=run.name,
            status="ok" if ok else "failed",
            outcome=run.outcome,
            version=run.version,
            distribution=run.distribution,
            duration_ms=run.duration_ms,
            detail="" if why is None else why.message,
            next_action="" if why is None else why.hint,
        )


class FindingView(View):
    """One finding, with the line of the blueprint."""

    line: int | None
    severity: Severity
    validator: str
    path: str
    code: str
    message: str
    hint: str


class ValidatorRunView(View):
    """Which validator ran, exactly, and how it ended."""

    name: str
    distribution: str
    version: str
    config_digest: str
    outcome: Outcome
    duration_ms: int


class ValidationView(View):
    """`bps validators run`."""

    blocking: bool
    findings: list[FindingView]
    runs: list[ValidatorRunView]

    @classmethod
    def of(cls, report: ValidationReport) -> ValidationView:
        """From a report."""
        return cls.model_validate(report)
