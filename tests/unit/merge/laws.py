"""The laws of the merge as checks of one case; each raises AssertionError where it is broken.

Source: design, "Merge". Law 9 is about validators, which the engine does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

from bps.merge import engine, second_opinion
from bps.merge.records import Conflict, Contribution, Kind, Resolution
from tests.unit.merge.cases import Apart, Case
from tests.unit.merge.documents import Document, Items, lines_of
from tests.unit.merge.measures import (
    ONE,
    OTHER,
    THIRD,
    TOKEN,
    all_merged,
    blanks_are_ambiguous,
    elsewhere,
    git_merge_file,
    kept,
    merged,
    same_data,
    shown,
    tokens,
)
from tests.unit.merge.oracles import (
    CONTESTED,
    Broken,
    comments,
    composed,
    find,
    matches,
    places,
    three_way,
    words,
)
from tests.unit.merge.oracles import OPEN as UNSAID


def law_1_one_side(case: Case) -> None:
    """A version merged with its unchanged base comes out byte for byte; with itself, as data."""
    for version in (case.one, case.other):
        left = merged(Case(case.base, case.base, version))
        right = merged(Case(case.base, version, case.base))
        twice = merged(Case(case.base, version, version))
        assert left.text == version, f"merge(b,b,x) is not x:\n{left.marked}"
        assert right.text == version, f"merge(b,x,b) is not x:\n{right.marked}"
        assert twice.text is not None, "merge(b,x,x) is in conflict"
        assert same_data(twice.text, version), f"merge(b,x,x) is not x:\n{twice.text}"


def law_2_sides_swap(case: Case) -> None:
    """The order of the two sides changes neither status nor conflicts nor data."""
    straight = merged(case)
    crossed = merged(Case(case.base, case.other, case.one))
    names = {ONE: OTHER, OTHER: ONE}
    mine, its = shown(straight, {}), shown(crossed, names)
    assert mine == its, f"other conflicts when swapped:\n{mine}\n{its}"
    if straight.text is not None and crossed.text is not None:
        assert same_data(straight.text, crossed.text), (
            f"other data when swapped:\n{straight.text}\n--- swapped\n{crossed.text}"
        )
        assert comments(straight.text) == comments(crossed.text), "other comments when swapped"


def law_3_nothing_lost(case: Case) -> None:
    """What a side added is there, what it took away is gone, or a conflict names it."""
    kept(merged(case), [(case.base, case.one), (case.base, case.other)])


def law_3_paths_agree(case: Case) -> None:
    """By paths alone: a clean merge is what each place must be, and no contest is decided."""
    result = merged(case)
    versions = [composed(text) for text in (case.base, case.one, case.other)]
    if any(len(version) != 1 for version in versions):
        return
    expected = three_way(*(version[0] for version in versions))
    if result.text is None:
        return
    assert not find(expected, CONTESTED), f"both changed one place, and it is clean:\n{result.text}"
    if not find(expected, UNSAID):
        (tree,) = composed(result.text)
        assert matches(tree, expected), f"not what the paths say:\n{result.text}"


def law_4_nothing_invented(case: Case) -> None:
    """Every leaf and comment of a clean result is one of an input, and no oftener than there."""
    result = merged(case)
    if result.text is None:
        return
    inputs = (case.base, case.one, case.other)
    strange = words(result.text) - set().union(*(words(text) for text in inputs))
    strange -= {"{}", "[]"}
    assert not strange, f"nobody wrote {sorted(strange)}:\n{result.text}"
    own = comments(result.text)
    for comment, count in own.items():
        counts = [comments(text)[comment] for text in inputs]
        most = counts[0] + sum(max(0, each - counts[0]) for each in counts[1:])
        assert count <= most, f"{comment!r} {count} times instead of {most}:\n{result.text}"
    numbered = TOKEN.findall(result.text)
    doubled = elsewhere(case.base, case.one) & elsewhere(case.base, case.other)
    for token in set(numbered) & places(result.text).keys() - {"o17"} - doubled:
        counts = [TOKEN.findall(text).count(token) for text in inputs]
        most = max(counts)
        if places(case.one).get(token) != places(case.other).get(token):
            most = counts[0] + sum(max(0, count - counts[0]) for count in counts[1:])
        assert numbered.count(token) <= most, f"{token!r} is there too often:\n{result.text}"


def law_5_reads_again(case: Case) -> None:
    """A clean result is YAML without duplicate keys or dangling aliases."""
    result = merged(case)
    if result.text is None:
        return
    try:
        composed(result.text)
    except Broken as error:
        raise AssertionError(f"{error}\n{result.text}") from error


def law_6_rest_untouched(case: Case) -> None:
    """Entries that both sides left as they are stand in the result byte for byte."""
    result = merged(case)
    if result.text is None or not case.models:
        return
    found = [_tiles(model) for model in case.models[:3]]
    text = f"\n{result.text.removeprefix(case.models[0].mark)}\n".replace("\r\n", "\n")
    for uid, tile in found[0].items():
        if all(version.get(uid) == tile for version in found[1:]):
            assert f"{tile.lstrip(' ')}\n" in text, (
                f"changed without cause:\n{tile}\n--- in\n{result.text}"
            )


def _tiles(document: Document) -> dict[int, str]:
    """The lines of every entry that has lines of its own."""
    found: dict[int, str] = {}

    def descend(items: Items, column: int) -> None:
        for entry in items.entries:
            if items.flow or entry.value is None:
                continue
            lines = lines_of(entry, column)[entry.gap :]
            if entry is not items.entries[0]:
                found[entry.uid] = "\n".join(lines)
            if isinstance(entry.value, Items) and not entry.value.flow:
                descend(entry.value, column + entry.value.indent)

    for page in document.pages:
        descend(page.root, 0)
    return found


def law_6_edits_apart(apart: Apart) -> None:
    """Edits in different entries make the one text that has both, byte for byte."""
    result = merged(apart.case)
    assert result.text is not None, f"a false conflict: {result.conflicts}"
    mine, its = result.text, apart.both
    if blanks_are_ambiguous(apart.case):
        mine, its = ("\n".join(filter(str.strip, text.splitlines())) for text in (mine, its))
    assert mine == its, f"got\n{result.text}\n--- instead of\n{apart.both}"


def law_7_canonical_moved(case: Case) -> None:
    """A side that is canonical already is the same editor."""
    forked = merged(case)
    moved = engine.merge(case.one, [Contribution(OTHER, case.base, case.other)])
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
    kept(all_merged(case), [(case.base, each) for each in (case.one, case.other, case.third)])
    late = merged(Case(case.base, case.one, case.third)).text
    if late is not None:
        result = engine.merge(
            case.one,
            [Contribution(OTHER, case.base, case.other), Contribution(THIRD, case.one, late)],
        )
        sides = [(case.base, case.one), (case.base, case.other), (case.one, late)]
        kept(result, sides)


def law_7_any_split(case: Case) -> None:
    """Merged at once or one after the other: the same data, where nothing conflicts."""
    at_once = all_merged(case).text
    after_one = merged(case).text
    if at_once is None or after_one is None:
        return
    split = engine.merge(after_one, [Contribution(THIRD, case.base, case.third)]).text
    if split is not None:
        assert same_data(at_once, split), f"at once\n{at_once}\n--- split\n{split}"


def law_8_resolutions_hold(case: Case) -> None:
    """Every conflict resolved: the merge is clean and holds what was chosen."""
    result = merged(case)
    again = merged(case)
    assert [c.id for c in again.conflicts] == [c.id for c in result.conflicts], "ids are not stable"
    for take, side in ((ONE, case.one), (OTHER, case.other)):
        chosen = {conflict.id: Resolution(take=take) for conflict in result.conflicts}
        settled = merged(case, chosen)
        assert settled.text is not None, (
            f"still open with {take}: {settled.conflicts}\n--- before {result.conflicts}"
        )
        composed(settled.text)
        lost = tokens(side) - tokens(case.base) - tokens(settled.text)
        assert not lost, f"{take} chosen, and {sorted(lost)} lost:\n{settled.text}"
    if len(result.conflicts) > 1:
        first, *rest = result.conflicts
        partly = merged(case, {first.id: Resolution(take=ONE)})
        left = {conflict.id for conflict in partly.conflicts}
        assert left == {conflict.id for conflict in rest}, "one resolution changed other conflicts"


def law_8_texts_hold(case: Case) -> None:
    """An edited value in place of each contested scalar is in the result."""
    result = merged(case)
    typed = {
        conflict.id: Resolution(text=f"typed{number}")
        for number, conflict in enumerate(result.conflicts)
        if _scalars(conflict)
    }
    settled = merged(case, typed)
    for conflict_id, resolution in typed.items():
        assert conflict_id not in {conflict.id for conflict in settled.conflicts}, "still open"
        assert resolution.text is not None
        assert resolution.text in settled.marked, f"{resolution} is not in\n{settled.marked}"


def _scalars(conflict: Conflict) -> bool:
    if conflict.kind not in {Kind.BOTH_MODIFIED, Kind.BOTH_ADDED, Kind.TYPE_CHANGE}:
        return False
    variants = [side.variant for side in conflict.sides]
    return conflict.path != "" and all(
        each.present and not isinstance(each.value, (dict, list)) for each in variants
    )


def beside_git(case: Case) -> None:
    """Where git's merge by lines is clean too and means something else, a person is told."""
    result = merged(case)
    if result.text is None:
        return
    by_lines = git_merge_file(case)
    if by_lines is None:
        return
    try:
        same = composed(by_lines) == composed(result.text)
    except Broken:
        return
    sides = [Contribution(ONE, case.base, case.one), Contribution(OTHER, case.base, case.other)]
    told = second_opinion.finding(case.base, sides, result.text, composed)
    assert same or told, f"git has\n{by_lines}\n--- and the merge\n{result.text}"


LAWS: tuple[Callable[[Case], None], ...] = (
    law_1_one_side,
    law_2_sides_swap,
    law_3_nothing_lost,
    law_3_paths_agree,
    law_4_nothing_invented,
    law_5_reads_again,
    law_6_rest_untouched,
    law_7_canonical_moved,
    law_7_any_arrival,
    law_7_set_loses_nothing,
    law_7_any_split,
    law_8_resolutions_hold,
    law_8_texts_hold,
)
