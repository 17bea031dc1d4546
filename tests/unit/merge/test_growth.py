"""How the work of a merge grows with its text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from bps.merge import engine
from bps.merge.engine import ROUNDS, UNSETTLED, merge
from bps.merge.records import Contribution, Kind, Merged, Resolution
from bps.merge.streams import merge_documents


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


def test_long_stretches_of_a_list_that_both_rewrote_are_told_soon() -> None:
    items = [f"item-{at:05d}" for at in range(6000)]

    def rewritten(by: str) -> str:
        return _listed([item if at % 200 == 0 else f"{item}-{by}" for at, item in enumerate(items)])

    conflicts = _merged_within(4, _listed(items), rewritten("x"), rewritten("y")).conflicts
    assert {each.kind for each in conflicts} == {Kind.BOTH_MODIFIED}


def test_of_many_rewritten_stretches_the_short_ones_are_known_element_by_element() -> None:
    items = [f"item-{at:05d}" for at in range(1001)]
    edited = [item if at % 200 == 0 else f"{item}-x" for at, item in enumerate(items)]
    base = _listed([*items, "m: 1\n  k: 1", "last"])
    one = _listed([*edited, "m: 1\n  k: 2", "last"])
    result = _merged_within(4, base, one, base.replace("m: 1\n", "m: 3\n"))
    assert result.text == one.replace("m: 1\n", "m: 3\n")


def test_many_replaced_elements_are_looked_up() -> None:
    items = [f"item-{at:05d}" for at in range(16_000)]
    one = [f"{at}" if at % 2 else item for at, item in enumerate(items)]
    result = _merged_within(3, _listed(items), _listed(one), _listed([*items, "more"]))
    assert result.text == _listed([*one, "more"])


def _listed(items: Sequence[str]) -> str:
    return "".join(f"- {item}\n" for item in items)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One item for each time that a text's documents were merged."""
    begun: list[None] = []

    def counted(*arguments: Any) -> Any:
        begun.append(None)
        return merge_documents(*arguments)

    monkeypatch.setattr(engine, "merge_documents", counted)
    return begun


def test_anchors_that_a_choice_would_leave_out_are_found_in_one_round(rounds: list[None]) -> None:
    base = "".join(f"k{at}: v\n" for at in range(200))
    one = "".join(f"k{at}: &x{at} w\n" for at in range(200))
    one += "".join(f"c{at}: *x{at}\n" for at in range(200))
    conflicts = _merged_within(2, base, one, base.replace("v", "z")).conflicts
    assert [each.path for each in conflicts] == [f"/{key}{at}" for key in "kc" for at in range(200)]
    assert len(rounds) == 2


def test_many_changed_anchors_with_new_aliases_are_looked_up(rounds: list[None]) -> None:
    base = "".join(f"k{at}: &x{at} v\n" for at in range(400))
    other = base + "".join(f"c{at}: *x{at}\n" for at in range(400))
    conflicts = _merged_within(2, base, base.replace(" v\n", " w\n"), other).conflicts
    assert [each.path for each in conflicts] == [f"/k{at}" for at in range(400)]
    assert {each.kind for each in conflicts} == {Kind.ANCHOR}
    assert len(rounds) == 1


def test_anchors_that_rest_on_each_other_end_in_a_conflict_of_the_document(
    rounds: list[None],
) -> None:
    base, other = "k0: v\n", "k0: z\n"
    one = "k0: &x0 w\n" + "".join(f"k{at}: &x{at} [*x{at - 1}]\n" for at in range(1, 40))
    sides = [Contribution("A", base, one), Contribution("B", base, other)]
    [conflict] = merge(base, sides).conflicts
    assert (conflict.path, conflict.kind) == ("", Kind.DOCUMENT)
    assert conflict.finding == UNSETTLED.finding
    assert len(rounds) == ROUNDS
    for side in sides:
        decided = merge(base, sides, resolutions={conflict.id: Resolution(take=side.label)})
        assert (decided.text, decided.conflicts) == (side.text, ())


def test_a_few_anchors_that_rest_on_each_other_are_told_one_by_one() -> None:
    base, other = "k0: v\n", "k0: z\n"
    one = "k0: &x0 w\nk1: &x1 [*x0]\nk2: [*x1]\nk3: c\n"
    sides = [Contribution("A", base, one), Contribution("B", base, other)]
    result = merge(base, sides)
    assert [each.path for each in result.conflicts] == ["/k0", "/k1", "/k2"]
    for side, text in zip(sides, (one, "k0: z\nk3: c\n"), strict=True):
        taken = {each.id: Resolution(take=side.label) for each in result.conflicts}
        assert merge(base, sides, resolutions=taken).text == text


def test_changes_that_may_all_be_one_are_one_conflict_soon() -> None:
    base, sides = ["r: |\n"], (["r: |\n"], ["r: |\n"])
    for at in range(8000):
        line = f"  k{at % 7}\n" if at % 3 else "  }\n"
        base.append(line)
        for who, side in enumerate(sides):
            side.append(line)
            if (at + who) % 2:
                side += [f"  z{at // 2}\n", f"  k{(at + 1) % 7}\n", "  }\n"]
    one, other = ("".join(side) for side in sides)
    conflicts = _merged_within(5, "".join(base), one, other).conflicts
    assert [each.path for each in conflicts] == ["/r"]


def test_many_places_in_which_both_added_elements_are_put_in_order_soon() -> None:
    def listed(by: str) -> str:
        added = f"- id: e{{at:04d}}{by}\n  of: {by}\n" if by else ""
        each = "- id: e{at:04d}\n  n: {at}\n" + added
        return "".join(each.format(at=at) for at in range(6000))

    result = _merged_within(6, listed(""), listed("b"), listed("a"))
    assert result.text is not None
    assert result.text.startswith("- id: e0000\n  n: 0\n- id: e0000a\n  of: a\n- id: e0000b\n")
