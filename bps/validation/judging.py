"""One validator on one candidate, inside the worker: everything it may do wrong has an outcome."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson

from bps.core.errors import PluginError
from bps.validation.api import Candidate, Finding, Severity, Validator
from bps.validation.limits import MAX_FINDINGS, MAX_TEXT_CHARS
from bps.validation.lines import escape
from bps.validation.registry import Installed
from bps.validation.report import Outcome


@dataclass(slots=True)
class Verdict:
    """What one validator said, or why it did not get to say it."""

    outcome: Outcome = Outcome.COMPLETED
    message: str = ""
    hint: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def tainted(self) -> bool:
        """Whether the process may have been left in a state that nobody knows."""
        return self.outcome not in {
            Outcome.COMPLETED,
            Outcome.MISSING,
            Outcome.AMBIGUOUS,
            Outcome.MISCONFIGURED,
        }


def judge(entries: list[Installed], candidate: Candidate) -> Verdict:
    """Load the validator, check its configuration, run it. Never raises, but KeyboardInterrupt.

    `entries` are all that are installed under its name.
    """
    if not entries:
        return Verdict(
            Outcome.MISSING,
            "It is not installed here.",
            "Install its distribution beside BPS.",
        )
    if len(entries) > 1:
        named = ", ".join(f"{each.distribution} {each.version}" for each in entries)
        hint = "Remove all of these distributions but one."
        return Verdict(Outcome.AMBIGUOUS, f"Several distributions bring it: {named}.", hint)
    try:
        validator = entries[0].load()()
    except PluginError as error:
        return Verdict(Outcome.BROKEN, error.message, "Correct its package.")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - plugin code; named by its outcome
        return _raised(Outcome.BROKEN, "It cannot be loaded", error)
    try:
        if problems := config_problems(validator, candidate.config):
            message = " ".join(problems)[:MAX_TEXT_CHARS]
            return Verdict(Outcome.MISCONFIGURED, message, "Correct its `config` in the policy.")
        return _said(validator.validate(candidate))
    except MemoryError:
        return Verdict(Outcome.OUT_OF_MEMORY, "It took more memory than it may.")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - plugin code; named by its outcome
        return _raised(Outcome.CRASHED, "It did not finish", error)


def config_problems(validator: Validator, config: Any) -> list[str]:  # noqa: ANN401 - any JSON data
    """What its schema and then itself find wrong with a configuration."""
    schema = _schema_of(dict(validator.config_schema))
    problems = [
        f"config{''.join(f'/{escape(str(part))}' for part in each.instance_path)}: {each.message}."
        for each in islice(schema.iter_errors(dict(config)), 10)
    ]
    return problems or list(validator.check_config(config))


def _schema_of(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    try:
        return _compiled(orjson.dumps(schema))
    except orjson.JSONEncodeError:
        # It may hold an integer that only jsonschema-rs takes.
        return jsonschema_rs.Draft202012Validator(schema)


@lru_cache(maxsize=64)
def _compiled(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    """The schema of a class, once for all its candidates."""
    return jsonschema_rs.Draft202012Validator(orjson.loads(schema))


def _raised(outcome: Outcome, what: str, error: BaseException) -> Verdict:
    if isinstance(error, SystemExit):
        reason = f"it ended the process with {error.code!a:.60}"
    else:
        said = str(error)[:300]
        reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    lines = "".join(traceback.format_exception(error)).rstrip().split("\n")[-6:]
    return Verdict(outcome, f"{what}: {reason}.", "Its last lines: " + " | ".join(lines))


def _said(answer: Iterable[Finding]) -> Verdict:
    """Its findings, checked. Raises TypeError, ValueError, and what a generator raises."""
    findings = [_checked(each) for each in islice(iter(answer), MAX_FINDINGS + 1)]
    if len(findings) > MAX_FINDINGS:
        findings[MAX_FINDINGS] = Finding(
            Severity.ERROR,
            "",
            "too-many-findings",
            f"There are more than {MAX_FINDINGS:,} findings; the others are not shown.",
            "Correct these first.",
        )
    return Verdict(findings=findings)


def _checked(finding: object) -> Finding:
    if not isinstance(finding, Finding):
        msg = f"it answered {type(finding).__name__} in place of Finding"
        raise TypeError(msg)
    severity = Severity(finding.severity)
    texts = (finding.path, finding.code, finding.message, finding.hint)
    if not all(isinstance(each, str) for each in texts):
        msg = "path, code, message and hint of a finding are text"
        raise TypeError(msg)
    if finding.path and not finding.path.startswith("/"):
        msg = f"{finding.path[:60]!a} is no JSON Pointer"
        raise ValueError(msg)
    return Finding(
        severity,
        printable(finding.path),
        cut(finding.code),
        cut(finding.message),
        cut(finding.hint),
    )


def printable(text: str) -> str:
    """The text as UTF-8 can carry it: half a surrogate pair is escaped."""
    return text.encode(errors="backslashreplace").decode()


def cut(text: str) -> str:
    """At most 2,000 characters, and says so where there were more."""
    text = printable(text)
    if len(text) <= MAX_TEXT_CHARS:
        return text
    return f"{text[:MAX_TEXT_CHARS]}... ({len(text):,} characters)"
