"""Law 7: a set of contributions, whatever their order, their bases and their promotions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

from bps.merge import engine
from bps.merge.records import Contribution, Merged
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import (
    ONE,
    OTHER,
    THIRD,
    all_merged,
    kept,
    merged,
    same_data,
    shown,
)
from tests.unit.merge.oracles import comments


def onto(case: Case, canonical: str, contributions: Sequence[Contribution]) -> Merged:
    """Contributions merged into a canonical text that moved on."""
    return engine.merge(canonical, contributions, strategies=case.strategies)


def law_7_canonical_moved(case: Case) -> None:
    """A side that is canonical already is the same editor."""
    forked = merged(case)
    moved = onto(case, case.one, [Contribution(OTHER, case.base, case.other)])
    mine, its = shown(forked, {}), shown(moved, {"canonical": ONE})
    assert mine == its, f"other conflicts with a moved canonical:\n{mine}\n{its}"
    if forked.text is not None and moved.text is not None:
        assert same_data(forked.text, moved.text), (
            f"other data with a moved canonical:\n{forked.text}\n--- moved\n{moved.text}"
        )
        assert comments(forked.text) == comments(moved.text), "other comments"


def law_7_any_arrival(case: Case) -> None:
    """The order in which contributions come changes neither conflicts nor data."""
    first = all_merged(case)
    ids = {conflict.id for conflict in first.conflicts}
    for order in permutations((ONE, OTHER, THIRD)):
        again = all_merged(case, order)
        if order == (ONE, OTHER, THIRD):
            assert again == first, "not the same twice"
        assert (again.text is None) == (first.text is None), f"another status in order {order}"
        assert {c.id for c in again.conflicts} == ids, f"other conflicts in order {order}"
        if first.text is not None and again.text is not None:
            assert same_data(again.text, first.text), f"other data in order {order}:\n{again.text}"


def law_7_set_loses_nothing(case: Case) -> None:
    """Law 3 for three editors, and for one that forked from a later version than another."""
    versions = [(case.base, each) for each in (case.one, case.other, case.third)]
    kept(all_merged(case), versions, case.outgrown)
    late = merged(replace(case, other=case.third)).text
    if late is not None:
        both = [Contribution(OTHER, case.base, case.other), Contribution(THIRD, case.one, late)]
        sides = [(case.base, case.one), (case.base, case.other), (case.one, late)]
        kept(onto(case, case.one, both), sides, case.outgrown)


def law_7_any_split(case: Case) -> None:
    """Merged at once or one after the other: the same data, where nothing conflicts."""
    at_once = all_merged(case).text
    after_one = merged(case).text
    if at_once is None or after_one is None:
        return
    split = onto(case, after_one, [Contribution(THIRD, case.base, case.third)]).text
    if split is not None:
        assert same_data(at_once, split), f"at once\n{at_once}\n--- split\n{split}"
