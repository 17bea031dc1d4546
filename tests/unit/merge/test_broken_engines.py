"""The laws catch every engine that is broken on purpose, within a bounded number of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import pytest

from tests.unit.merge import laws
from tests.unit.merge.broken_engines import BROKEN, Break
from tests.unit.merge.broken_rarities import RARELY_BROKEN
from tests.unit.merge.cases import Apart, Case, drawn_apart, drawn_case
from tests.unit.merge.crowds import Crowd, drawn_crowd
from tests.unit.merge.laws_of_crowds import CROWD_LAWS
from tests.unit.merge.named_cases import SMALL
from tests.unit.merge.rare_cases import APARTS, CROWDS, RARE, TYPED

MOST = 250
"""Cases that may be drawn before an engine counts as not caught."""

Check = tuple[Callable[[Any], None], Case | Apart | Crowd]


@cache
def case_of(seed: int) -> Case:
    chosen = Random(seed)
    return drawn_case(lambda below: min(chosen.randrange(below), chosen.randrange(below)))


@cache
def apart_of(seed: int) -> Apart | None:
    chosen = Random(seed)
    return drawn_apart(lambda below: min(chosen.randrange(below), chosen.randrange(below)))


@cache
def crowd_of(seed: int) -> Crowd:
    chosen = Random(seed)
    return drawn_crowd(lambda below: min(chosen.randrange(below), chosen.randrange(below)))


def checks() -> Iterator[Check]:
    for small in SMALL:
        yield from ((law, small) for law in laws.LAWS)
    for rare in (*RARE, *TYPED):
        yield from ((law, rare) for law in laws.LAWS)
    yield from ((laws.law_6_edits_apart, each) for each in APARTS)
    for crowd in CROWDS:
        yield from ((law, crowd) for law in CROWD_LAWS)
    for seed in range(MOST):
        apart = apart_of(seed)
        if apart is not None:
            yield laws.law_6_edits_apart, apart
        yield from ((law, case_of(seed)) for law in laws.LAWS)
        yield from ((law, crowd_of(seed)) for law in CROWD_LAWS)


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


@pytest.mark.parametrize("case", [*RARE, *TYPED], ids=lambda case: repr(case.base))
def test_every_law_holds_for_a_rare_case(case: Case) -> None:
    for law in laws.LAWS:
        law(case)


@pytest.mark.parametrize("broken", [*BROKEN, *RARELY_BROKEN], ids=lambda broken: broken.__name__)
def test_the_laws_catch_an_engine_in_which(broken: Break) -> None:
    assert caught(broken) is not None, f"no law says so within {MOST} cases: {broken.__doc__}"
