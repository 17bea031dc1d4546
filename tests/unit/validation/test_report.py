"""Reports have one order, and block for each reason there is."""

from __future__ import annotations

from itertools import permutations

import pytest

from bps.validation.api import Severity
from bps.validation.report import LocatedFinding, Outcome, ValidatorRun, report_of


def finding(path: str, code: str, severity: Severity = Severity.ERROR) -> LocatedFinding:
    return LocatedFinding("v", severity, path, 1, code, "message", "")


def run(name: str, outcome: Outcome = Outcome.COMPLETED) -> ValidatorRun:
    return ValidatorRun(name, "d", "1", "0" * 64, outcome, 1)


def test_whatever_order_findings_come_in_the_report_is_the_same() -> None:
    parts = [finding("/b", "x"), finding("/a", "y"), finding("/a", "x")]
    reports = {report_of(list(each), [run("b"), run("a")]) for each in permutations(parts)}
    (report,) = reports
    assert [(each.path, each.code) for each in report.findings] == [
        ("/a", "x"),
        ("/a", "y"),
        ("/b", "x"),
    ]
    assert [each.name for each in report.runs] == ["a", "b"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_but_completed_blocks_without_any_finding(outcome: Outcome) -> None:
    assert report_of([], [run("a", outcome)]).blocking is (outcome is not Outcome.COMPLETED)


@pytest.mark.parametrize("severity", list(Severity))
def test_only_errors_block(severity: Severity) -> None:
    report = report_of([finding("", "x", severity)], [run("a")])
    assert report.blocking is (severity is Severity.ERROR)
