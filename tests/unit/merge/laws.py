"""The laws of the merge as checks of one case; each raises AssertionError where it is broken.

Source: design, "Merge". Law 9 is about validators, which the engine does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bps.merge import second_opinion
from bps.merge.records import Contribution
from tests.unit.merge.cases import Apart, Case
from tests.unit.merge.documents import Document, Items, lines_of
from tests.unit.merge.expectations import CONTESTED, find, matches, three_way
from tests.unit.merge.expectations import OPEN as UNSAID
from tests.unit.merge.laws_of_records import (
    law_8_any_choices_hold,
    law_8_resolutions_hold,
    law_8_texts_hold,
)
from tests.unit.merge.laws_of_sets import (
    law_7_any_arrival,
    law_7_any_split,
    law_7_canonical_moved,
    law_7_set_loses_nothing,
)
from tests.unit.merge.measures import (
    ONE,
    OTHER,
    TOKEN,
    blanks_are_ambiguous,
    elsewhere,
    git_merge_file,
    kept,
    merged,
    same_data,
    shown,
    tokens,
    told,
)
from tests.unit.merge.oracles import (
    Broken,
    comments,
    composed,
    doubled_keys,
    places,
    words,
)

_FLUSH = re.compile(r"^ +", re.MULTILINE)
"""The indent of each line."""


def law_1_one_side(case: Case) -> None:
    """A version merged with its unchanged base comes out byte for byte; with itself, as data."""
    for version in (case.one, case.other):
        left = merged(replace(case, one=case.base, other=version))
        right = merged(replace(case, one=version, other=case.base))
        twice = merged(replace(case, one=version, other=version))
        assert left.text == version, f"merge(b,b,x) is not x:\n{left.marked}"
        assert right.text == version, f"merge(b,x,b) is not x:\n{right.marked}"
        assert twice.text is not None, "merge(b,x,x) is in conflict"
        assert same_data(twice.text, version), f"merge(b,x,x) is not x:\n{twice.text}"


def law_2_sides_swap(case: Case) -> None:
    """The order of the two sides changes neither status nor conflicts nor data."""
    straight = merged(case)
    crossed = merged(replace(case, one=case.other, other=case.one))
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
    kept(merged(case), [(case.base, case.one), (case.base, case.other)], case.outgrown)


def law_3_paths_agree(case: Case) -> None:
    """By paths alone: a clean merge is what each place must be, and no contest is decided."""
    result = merged(case)
    versions = [composed(text) for text in (case.base, case.one, case.other)]
    if any(len(version) != 1 for version in versions):
        return
    cursor = case.strategies.root
    expected = three_way([version[0] for version in versions], cursor)
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
        twice = count > most and not tokens(comment) <= told(result)
        assert not twice, f"{comment!r} {count} times instead of {most}:\n{result.text}"
    numbered = TOKEN.findall(result.text)
    doubled = elsewhere(case.base, case.one) & elsewhere(case.base, case.other)
    for token in set(numbered) & places(result.text).keys() - {"o17"} - doubled:
        counts = [TOKEN.findall(text).count(token) for text in inputs]
        most = max(counts)
        if places(case.one).get(token) != places(case.other).get(token):
            most = counts[0] + sum(max(0, count - counts[0]) for count in counts[1:])
        few = numbered.count(token) <= most or token in told(result)
        assert few, f"{token!r} is there too often:\n{result.text}"


def law_5_reads_again(case: Case) -> None:
    """A clean result is YAML without dangling aliases, or duplicate keys that nobody wrote."""
    result = merged(case)
    if result.text is None:
        return
    try:
        twice = doubled_keys(result.text)
    except Broken as error:
        raise AssertionError(f"{error}\n{result.text}") from error
    for text in (case.base, case.one, case.other):
        twice -= doubled_keys(text)
    assert not twice, f"{twice} more than once:\n{result.text}"


def law_6_rest_untouched(case: Case) -> None:
    """Entries that both sides left as they are stand in the result byte for byte."""
    result = merged(case)
    if result.text is None or not case.models:
        return
    found = [_tiles(model) for model in case.models[:3]]
    text = f"\n{result.text.removeprefix(case.models[0].mark)}\n".replace("\r\n", "\n")
    shifted = any(edit.kind == "indent" for version in case.edits for edit in version)
    if shifted:
        text = _FLUSH.sub("", text)
    for uid, tile in found[0].items():
        if all(version.get(uid) == tile for version in found[1:]):
            shown = _FLUSH.sub("", tile) if shifted else tile.lstrip(" ")
            assert f"{shown}\n" in text, f"changed without cause:\n{tile}\n--- in\n{result.text}"


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
    law_8_any_choices_hold,
)
