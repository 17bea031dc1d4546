"""One run of the pool: which validators are left, and what became of the others."""

from __future__ import annotations

import time
from typing import Any

from bps.core.codec import canonical_json, sha256_hex
from bps.validation.api import Severity
from bps.validation.limits import Limits
from bps.validation.report import Allowed, CandidateText, LocatedFinding, Outcome, ValidatorRun

_NEARLY_S = 0.05
"""The watchdog of the worker and the clock here may differ by so much."""
_HINT = "Promotion stays blocked until it works, or an operator takes it out of the policy."


class Job:
    """The state of one run; `waiting` is in the order in which the worker answers."""

    def __init__(self, candidate: CandidateText, waiting: list[Allowed], deadline_s: float) -> None:
        self.waiting = waiting
        self.findings: list[LocatedFinding] = []
        self.runs: list[ValidatorRun] = []
        self._candidate = candidate
        self._deadline_s = deadline_s
        self._end = time.monotonic() + deadline_s

    @property
    def left_s(self) -> float:
        """Until the deadline of the whole."""
        return self._end - time.monotonic()

    def message(self, limits: Limits) -> dict[str, Any]:
        """What the worker is told."""
        return {
            "base": self._candidate.base,
            "branches": dict(self._candidate.branches),
            "merged": self._candidate.merged,
            "policy": dict(self._candidate.policy),
            "validators": [{"name": each.name, "config": each.config} for each in self.waiting],
            "time_s": limits.time_s,
            "memory_bytes": limits.memory_bytes,
            "deadline_s": self.left_s,
        }

    def answered(self, names: dict[str, str], took_s: float, done: dict[str, Any]) -> None:
        """The first that waits has ended by itself, well or not."""
        outcome = Outcome(done["outcome"])
        if outcome is Outcome.COMPLETED:
            name = self.waiting[0].name
            for severity, path, line, code, message, hint in done["findings"]:
                self.findings.append(
                    LocatedFinding(name, Severity(severity), path, line, code, message, hint)
                )
            self._ran(names, took_s, outcome)
        else:
            self._failed(names, took_s, outcome, done["message"], done["hint"])

    def ended_badly(self, names: dict[str, str], took_s: float, limit_s: float, said: str) -> None:
        """The worker died, or had to be killed, while the first that waits was at it."""
        if took_s >= limit_s - _NEARLY_S:
            message = f"It was killed after {took_s:.1f} s; it may take {limit_s:.1f} s."
            self._failed(names, took_s, Outcome.TIMED_OUT, message, said)
        else:
            message = "It ended its process without an answer."
            self._failed(names, took_s, Outcome.CRASHED, message, said)

    def give_up(self) -> None:
        """No time is left for those that wait."""
        while self.waiting:
            message = (
                f"The {self._deadline_s:g} s for all validators were over before it could end."
            )
            names = {"distribution": "", "version": ""}
            self._failed(names, 0.0, Outcome.TIMED_OUT, message, "")

    def _failed(
        self, names: dict[str, str], took_s: float, outcome: Outcome, message: str, hint: str
    ) -> None:
        name = self.waiting[0].name
        text = f"The validator {name}: {message}"
        told = f"{hint} {_HINT}".strip()
        self.findings.append(
            LocatedFinding(name, Severity.ERROR, "", None, outcome.value, text, told)
        )
        self._ran(names, took_s, outcome)

    def _ran(self, names: dict[str, str], took_s: float, outcome: Outcome) -> None:
        done = self.waiting.pop(0)
        digest = sha256_hex(canonical_json(done.config))
        duration_ms = round(took_s * 1_000)
        self.runs.append(
            ValidatorRun(
                done.name, **names, config_digest=digest, outcome=outcome, duration_ms=duration_ms
            )
        )
