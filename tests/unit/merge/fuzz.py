"""`make fuzz`: the laws over as many drawn cases as a budget allows.

    python -m tests.unit.merge.fuzz SEED BUDGET_S

Each failure is shrunk and printed as texts; the exit code is 1 where there was one. A seed draws
the same cases again; the budget decides how many of them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from tests.unit.merge import laws
from tests.unit.merge.cases import Apart, Case, drawn_apart, drawn_case
from tests.unit.merge.choosing import numbers
from tests.unit.merge.crowds import Crowd, drawn_crowd
from tests.unit.merge.laws_of_crowds import CROWD_LAWS

CHUNK = 200
"""Examples a law before the next one has its turn."""


class Hunt:
    """One law: the examples that ran, and the smallest one that broke it."""

    def __init__(
        self, name: str, law: Callable[[Any], None], cases: st.SearchStrategy[Any]
    ) -> None:
        self.name = name
        self.law = law
        self.cases = cases
        self.examples = 0
        self.found: Any = None

    def broken_by(self, case: Any) -> str:
        """The report of a case that breaks the law, else nothing."""
        self.examples += 1
        try:
            self.law(case)
        except AssertionError as error:
            return str(error) or "an assertion failed"
        except Exception as error:  # noqa: BLE001 - whatever an engine raises breaks the law
            return f"{type(error).__name__}: {error}"
        return ""

    def breaks(self, seed: int) -> bool:
        """Draw one chunk of examples; `found` is the smallest one that breaks the law."""
        try:
            self.found = find(
                self.cases,
                lambda case: case is not None and bool(self.broken_by(case)),
                settings=settings(
                    max_examples=CHUNK,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
                random=Random(seed),
            )
        except NoSuchExample:
            return False
        return True


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Cases drawn by Hypothesis, which can shrink them."""
    return drawn_case(lambda below: draw(numbers(below)))


@st.composite
def aparts(draw: st.DrawFn) -> Apart | None:
    """Cases of edits apart; None where a document has no two places."""
    return drawn_apart(lambda below: draw(numbers(below)))


@st.composite
def crowds(draw: st.DrawFn) -> Crowd:
    """Sets of contributions."""
    return drawn_crowd(lambda below: draw(numbers(below)))


def fuzz(seed: int, budget_s: float) -> int:
    """Hold every law against drawn cases until the budget is spent; return the exit code."""
    hunts = [Hunt(law.__name__, law, cases()) for law in (*laws.LAWS, laws.beside_git)]
    hunts.append(Hunt("law_6_edits_apart", laws.law_6_edits_apart, aparts()))
    hunts += [Hunt(law.__name__, law, crowds()) for law in CROWD_LAWS]
    end = time.monotonic() + budget_s
    turn = 0
    while time.monotonic() < end and any(hunt.found is None for hunt in hunts):
        for hunt in hunts:
            waiting = hunt.found is None and time.monotonic() < end
            if waiting and hunt.breaks(seed * 1_000_000 + turn):
                _report(hunt)
        turn += 1
    for hunt in hunts:
        print(f"{hunt.name:28} {hunt.examples:8} examples, {'BROKEN' if hunt.found else 'holds'}")
    return 1 if any(hunt.found for hunt in hunts) else 0


def _report(hunt: Hunt) -> None:
    case = hunt.found.case if isinstance(hunt.found, Apart) else hunt.found
    print(f"{hunt.name} is broken:\n{case}\n{hunt.broken_by(hunt.found)}\n", flush=True)


if __name__ == "__main__":
    sys.exit(fuzz(int(sys.argv[1]), float(sys.argv[2])))
