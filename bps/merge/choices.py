"""What a text with markers comes to where one editor's version is chosen everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.anchors import Editors, lifted
from bps.merge.check import dangling_alias
from bps.merge.parse import Document, parse
from bps.merge.records import CANONICAL, Kind
from bps.merge.refusals import Unreadable
from bps.merge.results import Doubt
from bps.merge.run import Run
from bps.merge.slots import Piece
from bps.merge.source import Source


def doubts_of_choices(
    pieces: Sequence[Piece],
    canonical: Source,
    contributions: Editors,
    run: Run,
    documents: Sequence[Document],
) -> list[Doubt] | None:
    """The doubts with one more, or a wider one, about an anchor that a choice would leave out.

    None where every choice has the anchors of its aliases, or they are in doubt already.
    Cost: one parse an editor, where some version has aliases.
    """
    moved_on = [(CANONICAL, e[1], canonical) for e in contributions if e[1] is not canonical]
    editors = [*moved_on, *contributions]
    doubts = run.doubts
    sources = dict.fromkeys(each for _, base, side in editors for each in (base, side))
    if not any(each.aliases for each in sources):
        return None
    labels = dict.fromkeys(label for label, _, _ in editors)
    name = next(filter(None, (_missing_anchor(pieces, label) for label in labels)), None)
    if name is None:
        return None
    finding = f"the alias *{name} would have no anchor"
    known = next((each for each in doubts if each.finding == finding), None)
    if known is not None:
        wider = lifted(known, documents)
        if known in run.met or not wider.nodes:
            return None
        return [wider if each is known else each for each in doubts]
    changers = [who for who, base, side in editors if name in _names(base) - _names(side)]
    nodes = [node for each in sources for node in each.anchored if node.anchor == name]
    if not changers:
        # It came with the version that was not chosen: then its aliases are in doubt as well.
        changers = [who for who, base, side in editors if name in _names(side) - _names(base)]
        nodes = [node for each in sources for node in each.aliases if node.value == name]
    if not changers or any(node in each.nodes for each in doubts for node in nodes):
        return None
    return [*doubts, Doubt(Kind.ANCHOR, finding, tuple(nodes), tuple(labels), frozenset(changers))]


def _missing_anchor(pieces: Sequence[Piece], label: str) -> str | None:
    """The name of an alias without anchor where `label`, else the base, is chosen."""
    text = "".join(
        piece if isinstance(piece, str) else dict(piece.sides).get(label, piece.base)
        for piece in pieces
    )
    try:
        documents = parse(Source("a choice", text))
    except Unreadable:
        return None
    return next(filter(None, map(dangling_alias, documents)), None)


def _names(source: Source) -> set[str]:
    return {str(node.anchor) for node in source.anchored}
