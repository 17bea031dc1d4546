"""How the work of a merge grows with its text."""

from __future__ import annotations

import time

from bps.merge.engine import merge
from bps.merge.records import Contribution, Kind, Merged


def _merged_within(cpu_s: float, base: str, one: str, other: str) -> Merged:
    """The merge, that took no more of this process's CPU time."""
    began = time.process_time()
    result = merge(base, [Contribution("A", base, one), Contribution("B", base, other)])
    assert time.process_time() - began < cpu_s
    return result


def test_a_reversed_list_of_which_elements_are_dropped_is_one_conflict_soon() -> None:
    items = [f"- item{at}\n" for at in range(4000)]
    base, one = "l:\n" + "".join(items), "l:\n" + "".join(reversed(items))
    other = "l:\n" + "".join(item for at, item in enumerate(items) if at % 3)
    [conflict] = _merged_within(3, base, one, other).conflicts
    assert (conflict.path, conflict.kind) == ("/l", Kind.LIST_INSERT)
    assert conflict.sides[0].variant.text == "".join(reversed(items))
    assert conflict.sides[1].variant.text == other.removeprefix("l:\n")
