"""What came from where: the changes of a merge, leaf by leaf, each with whose it is.

For people and for the record; the merge itself does not look at it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from bps.merge.data import json_value
from bps.merge.differences import Difference, Path, Versions
from bps.merge.origin_tree import OriginTree
from bps.merge.pauses import CollectionPaused
from bps.merge.reader import Reader
from bps.merge.records import Contribution, Merged, Origin
from bps.merge.source import Node

ADDED, CHANGED, DELETED = "added", "changed", "deleted"
MERGED = "merged"
"""No side has this value: a strategy, or the merge of a text's lines, made it of several."""
REWRITTEN = "rewritten"
"""Comments, order or layout; the data are the same."""
CONFLICT = "conflict"
"""Left to a person."""


class Line(NamedTuple):
    """One leaf that the merge changed.

    `path` is a JSON Pointer into the result, or into canonical where the leaf was deleted or is in
    conflict. `change` is added, changed, deleted, merged, rewritten, resolved or conflict;
    `sources` are the labels of those who made it. `before` is canonical's value and `after` the
    result's, as JSON; None where `change` says that there is none, or where `absent` names it.
    """

    path: str
    change: str
    sources: tuple[str, ...]
    before: Any
    after: Any
    absent: tuple[str, ...] = ()
    """What of `before` and `after` does not exist, which None alone does not say."""


def explain(
    canonical: str,
    contributions: Sequence[Contribution],
    merged: Merged,
    reader: Reader | None = None,
) -> list[Line]:
    """Say of each leaf in which the result differs from canonical whose change it is.

    While conflicts are open there is no result: then it tells of each place in conflict, and of
    each change that is in the way of none.

    Raises:
        Unreadable: a text is not YAML; one that was merged never is.

    Cost: a pass over the entries of each pair, and reading those that differ; without the `reader`
    that merged the texts, each of them is read as a merge reads it.
    """
    with CollectionPaused():
        return _explained(Versions(reader or Reader()), canonical, contributions, merged)


def _explained(
    versions: Versions, canonical: str, contributions: Sequence[Contribution], merged: Merged
) -> list[Line]:
    edits = _edits(versions, contributions)
    if merged.text is None:
        return [*_conflicts(merged), *_beside_conflicts(edits, merged)]
    found = versions.differences(canonical, merged.text)
    tree = OriginTree(merged.origins)
    return [
        *(_line(each, edits, tree.nearest(each.at)) for each in found),
        *_rewritten(merged.origins, tree, edits),
    ]


_Edits = dict[str, dict[tuple[Hashable, ...], Difference]]
"""By label, then by place."""


def _edits(versions: Versions, contributions: Sequence[Contribution]) -> _Edits:
    known: dict[tuple[str, str], dict[tuple[Hashable, ...], Difference]] = {}
    found: _Edits = {}
    for each in contributions:
        pair = (each.base, each.text)
        if pair not in known:
            known[pair] = {found.place: found for found in versions.differences(*pair)}
        found[each.label] = known[pair]
    return found


def _line(difference: Difference, edits: _Edits, origin: Origin | None) -> Line:
    made = [
        label
        for label, its in edits.items()
        if (own := its.get(difference.place)) is not None and _same(own.after, difference.after)
    ]
    change = _change(difference)
    if origin is not None and origin.change == "resolved":
        change, sources = origin.change, origin.sources
    elif made:
        sources = tuple(made)
    else:
        sources = () if origin is None else origin.sources
        if len(sources) > 1:
            change = MERGED
    return _told(_pointer(difference.path), change, sources, difference)


def _rewritten(origins: Sequence[Origin], tree: OriginTree, edits: _Edits) -> Iterator[Line]:
    """The origins whose sides changed no data there."""
    changed = {
        label: tree.above(path for each in its.values() for path in {each.at, each.path})
        for label, its in edits.items()
    }
    for index, origin in enumerate(origins):
        theirs = [changed[label] for label in origin.sources if label in changed]
        if theirs and not any(tree.at(index) in each for each in theirs):
            yield Line(origin.path, REWRITTEN, origin.sources, None, None)


def _conflicts(merged: Merged) -> Iterator[Line]:
    for each in merged.conflicts:
        sides = tuple(side.branch for side in each.sides)
        yield Line(each.path, CONFLICT, sides, each.base.value, None)


def _beside_conflicts(edits: _Edits, merged: Merged) -> Iterator[Line]:
    """The changes that are in the text with markers, outside them."""
    contested = OriginTree([Origin(each.path, CONFLICT, ()) for each in merged.conflicts])
    by_place: dict[tuple[Hashable, ...], list[tuple[str, Difference]]] = {}
    for label, its in edits.items():
        for place, difference in its.items():
            if contested.nearest(difference.at) is None and not contested.leads(difference.at):
                by_place.setdefault(place, []).append((label, difference))
    for group in by_place.values():
        first = group[0][1]
        labels = tuple(label for label, _ in group)
        alike = all(_same(each.after, first.after) for _, each in group)
        line = _told(_pointer(first.path), _change(first), labels, first)
        yield line if alike else line._replace(change=MERGED, after=None)


def _told(path: str, change: str, sources: tuple[str, ...], difference: Difference) -> Line:
    before, after = difference.before, difference.after
    sides = {"before": before, "after": after}
    absent = tuple(name for name, node in sides.items() if node is None)
    return Line(path, change, sources, json_value(before), json_value(after), absent)


def _change(difference: Difference) -> str:
    if difference.before is None:
        return ADDED
    return DELETED if difference.after is None else CHANGED


def _same(one: Node | None, other: Node | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(one.data == other.data)


def _pointer(path: Path) -> str:
    return "".join(f"/{segment}" for segment in path)
