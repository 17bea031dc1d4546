"""What a declared strategy makes of two edits of its place, in either order of the sides."""

from __future__ import annotations

from typing import Any

import pytest

from bps.merge import engine
from bps.merge.declared import from_policy
from bps.merge.records import Contribution, Merged

TASKS = "k:\n- {id: x, v: 1}\n- {id: y, v: 1}\n"

CASES: dict[str, tuple[Any, str, str, str, str | None, tuple[tuple[str, str], ...]]] = {
    "the greatest version": ("max: semver", "k: 1.9.0\n", "k: 1.10.0\n", "k: 1.9.9\n",
                             "k: 1.10.0\n", ()),
    "a maximum of what is no version": ("max: semver", "k: 1.9.0\n", "k: new\n", "k: 1.9.9\n",
                                        None, (("both_modified", "/k"),)),
    "one unit": ("atomic", "k: {a: 1, b: 1}\n", "k: {a: 2, b: 1}\n", "k: {a: 1, b: 2}\n",
                 None, (("both_modified", "/k"),)),
    "two inserts where order counts": ("ordered", "k:\n- a\n", "k:\n- a\n- b\n", "k:\n- a\n- c\n",
                                       None, (("list_insert", "/k"),)),
    "an element without its identity": ("keyed: [id]", TASKS, f"{TASKS}- {{v: 3}}\n",
                                        TASKS.replace("y, v: 1", "y, v: 2"),
                                        None, (("identity", "/k"),)),
    "an identity that occurs twice": ("keyed: [id]", TASKS, f"{TASKS}- {{id: x, v: 3}}\n",
                                      TASKS.replace("y, v: 1", "y, v: 2"),
                                      None, (("identity", "/k"),)),
    "two elements of a keyed list": ("keyed: [id]", TASKS, TASKS.replace("x, v: 1", "x, v: 2"),
                                     TASKS.replace("y, v: 1", "y, v: 2"),
                                     TASKS.replace("v: 1", "v: 2"), ()),
    "an element taken away by one and an addition": ("set", "k:\n- a\n- b\n", "k:\n- b\n",
                                                     "k:\n- a\n- b\n- c\n", "k:\n- b\n- c\n", ()),
}  # fmt: skip


def merged(strategy: Any, base: str, one: str, other: str) -> Merged:
    sides = [Contribution("one", base, one), Contribution("other", base, other)]
    return engine.merge(base, sides, strategies=from_policy({"/k": strategy}))


@pytest.mark.parametrize("name", CASES)
def test_a_declared_strategy_decides(name: str) -> None:
    strategy, base, one, other, text, conflicts = CASES[name]
    for first, second in ((one, other), (other, one)):
        result = merged(strategy, base, first, second)
        assert result.text == text
        assert tuple((each.kind.value, each.path) for each in result.conflicts) == conflicts
