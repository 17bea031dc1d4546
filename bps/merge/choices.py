"""What a text with markers comes to where one editor's version is chosen everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bps.merge.anchors import Editors, lifted
from bps.merge.check import dangling_aliases
from bps.merge.parse import parse
from bps.merge.records import CANONICAL, Kind
from bps.merge.references import References
from bps.merge.refusals import Unreadable
from bps.merge.results import Doubt
from bps.merge.run import Run
from bps.merge.slots import Piece
from bps.merge.source import Document, Node, Source


def doubts_of_choices(
    pieces: Sequence[Piece],
    canonical: Source,
    contributions: Editors,
    run: Run,
    documents: Sequence[Document],
) -> list[Doubt] | None:
    """The doubts with one more, or a wider one, about each anchor that a choice would leave out.

    None where every choice has the anchors of its aliases, or they are in doubt already.
    Cost: one parse an editor, where some version has aliases, for all of the anchors together.
    """
    moved_on = [(CANONICAL, e[1], canonical) for e in contributions if e[1] is not canonical]
    editors = [*moved_on, *contributions]
    doubts = run.doubts
    sources = dict.fromkeys(each for _, base, side in editors for each in (base, side))
    if not any(each.aliases for each in sources):
        return None
    labels = dict.fromkeys(label for label, _, _ in editors)
    names = dict.fromkeys(name for label in labels for name in _missing_anchors(pieces, label))
    if not names:
        return None
    known = {each: References(each) for each in sources}
    told = {each.finding: at for at, each in enumerate(doubts)}
    in_doubt = {node for each in doubts for node in each.nodes}
    found = list(doubts)
    for name in names:
        finding = f"the alias *{name} would have no anchor"
        at = told.get(finding)
        if at is not None:
            wider = lifted(doubts[at], documents)
            if doubts[at] not in run.met and wider.nodes:
                found[at] = wider
            continue
        changers, nodes = _left_out(name, editors, known)
        if changers and in_doubt.isdisjoint(nodes):
            found.append(Doubt(Kind.ANCHOR, finding, nodes, tuple(labels), changers))
    return found if found != list(doubts) else None


def _left_out(
    name: str, editors: Editors, known: Mapping[Source, References]
) -> tuple[frozenset[str], tuple[Node, ...]]:
    """Who took an anchor away and where it stands; or who brought it and where its aliases are.

    Of one that all have, somebody put it where another editor's choice takes it away.
    """
    gone = frozenset(
        who
        for who, base, side in editors
        if name in known[base].anchored and name not in known[side].anchored
    )
    if gone:
        return gone, tuple(node for each in known.values() for node in each.anchored.get(name, ()))
    # It came with the version that was not chosen: then its aliases are in doubt as well.
    brought = frozenset(
        who
        for who, base, side in editors
        if name in known[side].anchored and name not in known[base].anchored
    )
    if not brought:
        moved = frozenset(who for who, base, side in editors if base is not side)
        return moved, tuple(node for each in known.values() for node in each.anchored.get(name, ()))
    return brought, tuple(node for each in known.values() for node in each.aliases.get(name, ()))


def _missing_anchors(pieces: Sequence[Piece], label: str) -> list[str]:
    """The names of the aliases without anchor where `label`, else the base, is chosen."""
    text = "".join(
        piece if isinstance(piece, str) else dict(piece.sides).get(label, piece.base)
        for piece in pieces
    )
    try:
        documents = parse(Source("a choice", text))
    except Unreadable:
        return []
    return [name for document in documents for name in dangling_aliases(document)]
