"""Whose a value is that a reviewer put over what versions had made there."""

from __future__ import annotations

import pytest

from bps.candidates.merging import MergeTask, Veto, contested, finding, merge_blueprints
from bps.merge.compact import Row
from bps.merge.records import Contribution, Resolution
from bps.merge.semantic import Decision

BASE = "title: checkout\nretries: 3\nowner: bob\n"
WITHOUT = BASE.replace("owner: bob\n", "")
TYPED = BASE.replace("bob", "eve").replace("retries: 3", "retries: 4")


def decided_at_the_root(resolution: Resolution, *texts: str) -> dict[str, Row]:
    """What came from where once a veto of the whole was decided, by path."""
    sides = tuple(Contribution(f"T{n}", BASE, text) for n, text in enumerate(texts, 1))
    task = MergeTask(BASE, sides, (), (), looked_at=True)
    merged = merge_blueprints(task).text
    assert merged is not None
    (conflict,) = contested(Veto(task, (), merged, (finding("v", "c", "no"),)))
    decision = Decision(conflict.id, conflict.path, resolution)
    answer = merge_blueprints(task._replace(resolutions=(decision,)))
    assert answer.came_from is not None
    return {each.path: each for each in answer.came_from.rows}


@pytest.mark.parametrize(
    "texts",
    [(WITHOUT,), (WITHOUT, BASE.replace("retries: 3", "retries: 5"))],
    ids=["one version", "two that merged"],
)
def test_what_was_typed_over_the_whole_is_nobody_s_but_the_reviewer_s(
    texts: tuple[str, ...],
) -> None:
    rows = decided_at_the_root(Resolution(text=TYPED), *texts)
    assert {(path, row.change, row.sources, row.after) for path, row in rows.items()} == {
        ("/owner", "resolved", ("an edited value",), '"eve"'),
        ("/retries", "resolved", ("an edited value",), "4"),
    }


def test_a_version_that_was_taken_as_a_whole_is_named() -> None:
    five = BASE.replace("retries: 3", "retries: 5")
    rows = decided_at_the_root(Resolution(take="T2"), WITHOUT, five)
    assert [(row.path, row.change, row.sources) for row in rows.values()] == [
        ("/retries", "resolved", ("T2",))
    ]
