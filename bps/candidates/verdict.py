"""What the validators' report means for an attempt."""

from __future__ import annotations

from dataclasses import replace

from bps.candidates.candidate import Attempt
from bps.plans.merge_record import ValidatorRecord
from bps.plans.reviews import ReviewFinding
from bps.validation.report import Outcome, ValidationReport

_OF_BLUEPRINT = frozenset({Outcome.CRASHED.value, Outcome.OUT_OF_MEMORY.value})


def judged_by(report: ValidationReport, attempt: Attempt) -> Attempt:
    """The attempt with what the validators said; without its text where they block."""
    return replace(
        attempt,
        text=None if report.blocking else attempt.text,
        marked=attempt.text if report.blocking else None,
        findings=tuple(
            ReviewFinding(
                source=each.validator,
                severity=each.severity.value,
                path=each.path,
                line=each.line,
                code=each.code,
                message=each.message,
                hint=each.hint,
            )
            for each in report.findings
        ),
        validators=tuple(
            ValidatorRecord(
                name=run.name,
                distribution=run.distribution,
                version=run.version,
                config_digest=run.config_digest,
            )
            for run in report.runs
        ),
        unfinished=tuple(run.name for run in report.runs if run.outcome is not Outcome.COMPLETED),
    )


def is_of_blueprint(attempt: Attempt) -> bool:
    """Whether a validator ended in a way that another blueprint may not bring about.

    One that is missing is missing for all; one that hung has used up the time to ask again.
    """
    codes = {each.code for each in attempt.findings if each.source in attempt.unfinished}
    return bool(codes) and codes <= _OF_BLUEPRINT


def said_of_unfinished(attempt: Attempt) -> str:
    """Why its validators did not complete."""
    return " ".join(each.message for each in attempt.findings if each.source in attempt.unfinished)
