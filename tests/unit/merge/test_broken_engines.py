"""The laws catch every engine that is broken on purpose, within a bounded number of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import pytest

from tests.unit.merge import laws
from tests.unit.merge.broken_engines import BROKEN, Break
from tests.unit.merge.cases import Apart, Case, drawn_apart, drawn_case
from tests.unit.merge.named_cases import SMALL

MOST = 250
"""Cases that may be drawn before an engine counts as not caught."""

Check = tuple[Callable[[Any], None], Case | Apart]


@cache
def case_of(seed: int) -> Case:
    chosen = Random(seed)
    return drawn_case(lambda below: min(chosen.randrange(below), chosen.randrange(below)))


@cache
def apart_of(seed: int) -> Apart | None:
    chosen = Random(seed)
    return drawn_apart(lambda below: min(chosen.randrange(below), chosen.randrange(below)))


def checks() -> Iterator[Check]:
    for small in SMALL:
        yield from ((law, small) for law in laws.LAWS)
    for seed in range(MOST):
        apart = apart_of(seed)
        if apart is not None:
            yield laws.law_6_edits_apart, apart
        yield from ((law, case_of(seed)) for law in laws.LAWS)


def holds(check: Check) -> bool:
    law, case = check
    try:
        law(case)
    except Exception:  # noqa: BLE001 - a broken engine may raise whatever it likes
        return False
    return True


def caught(broken: Break) -> Check | None:
    for check in checks():
        with pytest.MonkeyPatch.context() as patch:
            broken(patch)
            held = holds(check)
        # What breaks a law of the sound engine too proves nothing.
        if not held and holds(check):
            return check
    return None


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_the_laws_catch_an_engine_in_which(broken: Break) -> None:
    assert caught(broken) is not None, f"no law says so within {MOST} cases: {broken.__doc__}"
