"""What is measured of a merge: its tokens, its data, what its conflicts show."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bps.merge import engine
from bps.merge.records import Contribution, Merged, Resolution
from tests.unit.merge.cases import Case
from tests.unit.merge.documents import NOTE, entries
from tests.unit.merge.oracles import OWN, composed, places, unordered, words

TOKEN = re.compile(rf"{NOTE}\d+|{OWN}")
"""What occurs once in a document: a comment, or a word with a number of its own."""
ONE, OTHER, THIRD = "one", "other", "third"


def merged(case: Case, resolutions: Mapping[str, Resolution] | None = None) -> Merged:
    """The plain three-way merge."""
    sides = [Contribution(ONE, case.base, case.one), Contribution(OTHER, case.base, case.other)]
    return engine.merge(case.base, sides, strategies=case.strategies, resolutions=resolutions)


def all_merged(case: Case, order: Sequence[str] = (ONE, OTHER, THIRD)) -> Merged:
    """The merge of all three versions, given in an order."""
    texts = {ONE: case.one, OTHER: case.other, THIRD: case.third}
    sides = [Contribution(name, case.base, texts[name]) for name in order]
    return engine.merge(case.base, sides, strategies=case.strategies)


def told(result: Merged) -> set[str]:
    """The comments that a notice says to stand twice, or to have come back."""
    return {token for notice in result.notices for token in TOKEN.findall(notice.message)}


def tokens(text: str) -> set[str]:
    """What occurs nowhere else: the numbered words and comments of a text, read as text."""
    return set(TOKEN.findall(text)) - {"o17"}


def named(result: Merged) -> str:
    """All that the conflicts show."""
    return "\n".join(
        text
        for conflict in result.conflicts
        for side in conflict.sides
        for text in (conflict.base.text, side.variant.text, side.base.text if side.base else "")
    )


def same_data(one: str, other: str) -> bool:
    """Whether two texts mean the same up to the order of additions."""
    return [unordered(tree) for tree in composed(one)] == [
        unordered(tree) for tree in composed(other)
    ]


def shown(result: Merged, names: Mapping[str, str]) -> list[tuple[object, ...]]:
    """The conflicts for comparison, with other names for the sides."""
    return sorted(
        (
            conflict.path,
            conflict.kind.value,
            _flush(conflict.base.text),
            sorted((names.get(s.branch, s.branch), _flush(s.variant.text)) for s in conflict.sides),
        )
        for conflict in result.conflicts
    )


def _flush(text: str) -> list[str]:
    """The lines without their indent: canonical's column is another one where it moved."""
    return [line.strip() for line in text.strip().split("\n")]


def kept(result: Merged, sides: Sequence[tuple[str, str]], outgrown: Sequence[str] = ()) -> None:
    """Hold a merge against what each side did to its base; what is `outgrown` may go unsaid."""
    gone = {word for source in outgrown for word in (source, *tokens(source))}
    shown = result.marked
    in_result, in_conflicts = tokens(shown), tokens(named(result))
    versions = [tokens(side) for _, side in sides]
    for number, (base, side) in enumerate(sides):
        before, after = tokens(base), versions[number]
        lost = after - before - in_result - in_conflicts - gone
        assert not lost, f"side {number} added {sorted(lost)}:\n{shown}"
        placed = set().union(
            *(elsewhere(its, own) for at, (its, own) in enumerate(sides) if at != number)
        )
        back = ((before - after) & in_result) - in_conflicts - placed - told(result)
        assert not back, f"side {number} took away {sorted(back)}:\n{shown}"
        if result.text is not None:
            lost = words(side) - words(base) - words(result.text) - {"{}", "[]"} - gone
            assert not lost, f"side {number} added {sorted(lost)}:\n{shown}"


def elsewhere(base: str, side: str) -> set[str]:
    """What a side put at another path than its base has it; its comments come along."""
    before, after = places(base), places(side)
    found = {token for token, paths in after.items() if paths - before.get(token, frozenset())}
    along = {token for token in tokens(side) if token.startswith(NOTE)}
    return found | along if found else found


def git_merge_file(case: Case) -> str | None:
    """What `git merge-file` makes of a case; None where it conflicts."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in (ONE, "base", OTHER)]
        for path, text in zip(paths, (case.one, case.base, case.other), strict=True):
            path.write_bytes(text.encode())
        command = ["git", "merge-file", "-p", "--quiet", *map(str, paths)]
        done = subprocess.run(command, capture_output=True, check=False)
        return done.stdout.decode() if done.returncode == 0 else None


def blanks_are_ambiguous(case: Case) -> bool:
    """Whether blank lines may be data or stand behind the last comment of a collection."""
    if re.search(r"[|>]\d?\+", case.base + case.one + case.other):
        return True
    found = [items for model in case.models for items, _, _ in entries(model)]
    return any(items.entries[-1].value is None for items in found)
