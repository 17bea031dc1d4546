"""One run of the pool: which validators are left, and what became of the others."""

from __future__ import annotations

import asyncio
import time
from enum import Enum
from functools import cached_property
from typing import Any

from bps.core.errors import InvalidBlueprint
from bps.validation.api import Severity
from bps.validation.frames import frame
from bps.validation.limits import Limits
from bps.validation.report import (
    Allowed,
    CandidateText,
    LocatedFinding,
    Outcome,
    ValidationReport,
    ValidatorRun,
    report_of,
)

_GRACE_S = 0.5
"""For the worker's own watchdog to say where a validator hangs, before it is killed from here."""
_NEARLY_S = 0.05
"""The watchdog of the worker and the clock here may differ by so much."""
_HINT = "Promotion stays blocked until it works, or an operator takes it out of the policy."
_NOBODY = {"distribution": "", "version": ""}


class Progress(Enum):
    """What an answer of the worker means for the one that gave it the job."""

    GOES_ON = "goes on"
    DONE = "done"
    TAINTED = "tainted"


class Job:
    """The state of one run; `waiting` is in the order in which the worker answers.

    `report` is set once; a caller that goes away cancels it. All instants are `time.monotonic`.
    """

    def __init__(
        self, candidate: CandidateText, waiting: list[Allowed], deadline_s: float, limits: Limits
    ) -> None:
        self.report: asyncio.Future[ValidationReport] = asyncio.get_running_loop().create_future()
        self.waiting = waiting
        self.begun = False
        """Whether the worker that has it now took it up."""
        self.late_at = 0.0
        """When the worker that is at it has to be killed."""
        self._candidate = candidate
        self._deadline_s = deadline_s
        self._limits = limits
        self._end: float | None = None
        self._findings: list[LocatedFinding] = []
        self._runs: list[ValidatorRun] = []
        self._names = _NOBODY
        self._began = self._limit_s = 0.0

    @property
    def left_s(self) -> float:
        """Until the deadline of the whole, which counts from its turn."""
        return self._deadline_s if self._end is None else self._end - time.monotonic()

    @cached_property
    def text_bytes(self) -> int:
        """About what its message holds."""
        return sum(map(len, self._texts))

    @cached_property
    def _texts(self) -> list[str]:
        """All its texts, each once: where one branch is promoted, its text is the result's."""
        candidate = self._candidate
        every = [candidate.base, *candidate.branches.values(), candidate.merged]
        return list(dict.fromkeys(text for text in every if text is not None))

    def message(self) -> bytes:
        """What the worker is told, in its frame: texts, and by number which of them is what."""
        candidate = self._candidate
        number = {text: n for n, text in enumerate(self._texts)}
        self.begun = False
        return frame(
            {
                "texts": self._texts,
                "base": None if candidate.base is None else number[candidate.base],
                "branches": {name: number[text] for name, text in candidate.branches.items()},
                "merged": number[candidate.merged],
                "policy": dict(candidate.policy),
                "validators": [{"name": each.name, "config": each.config} for each in self.waiting],
                "time_s": self._limits.time_s,
                "memory_bytes": self._limits.memory_bytes,
                "deadline_s": self.left_s,
            }
        )

    @property
    def over(self) -> bool:
        """Whether no worker is needed for it any more; what there was no time for is blamed."""
        if not self.report.done() and self.left_s <= 0:
            self.give_up()
        return self.report.done() or not self.waiting

    def take_turn(self) -> None:
        """The worker has nothing else to do before it."""
        if self._end is None:
            self._end = time.monotonic() + self._deadline_s
        self._wait(self.left_s)

    def hear(self, message: dict[str, Any]) -> Progress:
        """Follow the worker. Raises KeyError, TypeError, ValueError: it said what it never says."""
        if "refused" in message:
            self.fail(InvalidBlueprint(message["refused"], **message["facts"]))
            return Progress.DONE
        if "parsed" in message:
            self.begun = True
            self._wait(self.left_s, _GRACE_S)
        elif "started" in message:
            self._names = {name: message[name] for name in _NOBODY}
            self._wait(min(self._limits.time_s, self.left_s), _GRACE_S)
        else:
            self._answered(message)
            self._wait(self.left_s, _GRACE_S)
            if message["tainted"]:
                return Progress.TAINTED
        return Progress.GOES_ON if self.waiting else Progress.DONE

    def finish(self) -> None:
        """All have ended: tell the report."""
        if not self.report.done():
            self.report.set_result(report_of(self._findings, self._runs))

    def fail(self, error: Exception) -> None:
        """There will be no report."""
        if not self.report.done():
            self.report.set_exception(error)

    def ended_badly(self, took_s: float, said: str) -> None:
        """The worker died, or had to be killed, while the first that waits was at it."""
        if took_s >= self._limit_s - _NEARLY_S:
            message = f"It was killed after {took_s:.1f} s; it may take {self._limit_s:.1f} s."
            self._failed(self._names, took_s, Outcome.TIMED_OUT, message, said)
        else:
            message = "It ended its process without an answer."
            self._failed(self._names, took_s, Outcome.CRASHED, message, said)

    @property
    def step_took_s(self) -> float:
        """How long the present validator is at it."""
        return time.monotonic() - self._began

    def give_up(self) -> None:
        """No time is left for those that wait."""
        while self.waiting:
            message = (
                f"The {self._deadline_s:g} s for all validators were over before it could end."
            )
            self._failed(_NOBODY, 0.0, Outcome.TIMED_OUT, message, "")

    def _wait(self, limit_s: float, grace_s: float = 0.0) -> None:
        """The next answer has so long; the grace is for the worker to say so itself."""
        self._began, self._limit_s = time.monotonic(), max(0.0, limit_s)
        self.late_at = self._began + self._limit_s + grace_s

    def _answered(self, done: dict[str, Any]) -> None:
        """The first that waits has ended by itself, well or not."""
        outcome = Outcome(done["outcome"])
        if outcome is Outcome.COMPLETED:
            name = self.waiting[0].name
            for severity, path, line, code, message, hint in done["findings"]:
                self._findings.append(
                    LocatedFinding(name, Severity(severity), path, line, code, message, hint)
                )
            self._ran(self._names, self.step_took_s, outcome)
        else:
            self._failed(self._names, self.step_took_s, outcome, done["message"], done["hint"])

    def _failed(
        self, names: dict[str, str], took_s: float, outcome: Outcome, message: str, hint: str
    ) -> None:
        name = self.waiting[0].name
        text = f"The validator {name}: {message}"
        told = f"{hint} {_HINT}".strip()
        self._findings.append(
            LocatedFinding(name, Severity.ERROR, "", None, outcome.value, text, told)
        )
        self._ran(names, took_s, outcome)

    def _ran(self, names: dict[str, str], took_s: float, outcome: Outcome) -> None:
        done = self.waiting.pop(0)
        self._names = _NOBODY
        duration_ms = round(took_s * 1_000)
        self._runs.append(
            ValidatorRun(
                done.name,
                **names,
                config_digest=done.config_digest,
                outcome=outcome,
                duration_ms=duration_ms,
            )
        )
