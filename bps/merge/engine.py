"""The merge: canonical and any number of contributions to one text, or to conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bps.merge.entries import merge_entry
from bps.merge.finish import Finish, merged_trailer
from bps.merge.markers import USUAL, Markers, render
from bps.merge.named_tuple import NamedTuple
from bps.merge.newlines import Dress, refuse_odd_breaks
from bps.merge.pauses import CollectionPaused
from bps.merge.reader import Reader
from bps.merge.records import (
    CANONICAL,
    Contribution,
    Kind,
    Merged,
    Resolution,
    Variant,
)
from bps.merge.refusals import Unreadable
from bps.merge.results import Conflicting, Doubt
from bps.merge.run import Run
from bps.merge.slots import Open, Piece, Slot
from bps.merge.source import Document, Source
from bps.merge.strategies import Strategies
from bps.merge.streams import in_stream, merge_documents
from bps.merge.values import merge_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bps.merge.anchors import Editors

ROUNDS = 8
"""Times that a text is merged until no anchor is in doubt any more; then it is left as a whole."""
UNSETTLED = Doubt(
    Kind.DOCUMENT, "too many anchors rest on aliases of other ones", (), (), frozenset()
)


def merge(
    canonical: str,
    contributions: Sequence[Contribution],
    *,
    strategies: Strategies | None = None,
    resolutions: Mapping[str, Resolution] | None = None,
    canonical_label: str = CANONICAL,
    markers: Markers = USUAL,
    reader: Reader | None = None,
    most_conflicts: int | None = None,
) -> Merged:
    """Merge all contributions into canonical.

    Each contribution's edits are those from its own `base` to its `text`; canonical's own edits
    since that base count as one more editor's. For the plain three-way merge of BASE, A and B,
    canonical is BASE and both contributions name it as their base. `resolutions` by conflict id
    are applied where they meet their conflict; the others are ignored. What `reader` has read
    of these texts before is not read again, and it keeps what it reads here.

    Raises:
        Unreadable: a version, or a resolution's text, is not YAML or cannot be kept byte-exactly.
        TooManyConflicts: there are more than `most_conflicts`.

    Cost: equal bytes are compared and checked only; otherwise libyaml checks the first text and the
    result at 15 ms a MB each, and nodes are made of what differs alone (`bps.merge.reader`).
    """
    active = [each for each in contributions if each.text != each.base]
    if len({each.base for each in active}) > 1:
        # Of several bases one is shown and counted in: the same, however the contributions came.
        active.sort(key=lambda each: (each.base, each.text, each.label))
    if not active or len({each.text for each in active}) == 1:
        from bps.merge.law_1 import law_1  # noqa: PLC0415 - git asks for no such merge
        from bps.merge.parse import validate  # noqa: PLC0415 - otherwise texts are read

        for label, text in {t: label for label, t in _texts(canonical, contributions)}.items():
            validate(Source(text, label))
        by_bytes = law_1(canonical, active)
        if by_bytes is not None:
            return by_bytes
    with CollectionPaused():
        return _Merge(
            canonical,
            active,
            strategies,
            resolutions,
            canonical_label,
            markers,
            reader or Reader(),
            most_conflicts,
        ).run()


def _texts(canonical: str, contributions: Sequence[Contribution]) -> list[tuple[str, str]]:
    found = [(CANONICAL, canonical)]
    for each in contributions:
        found += [(f"the base of {each.label}", each.base), (each.label, each.text)]
    return found


class _Decided(NamedTuple):
    """The documents, and all of their text in its pieces."""

    slots: Sequence[Slot]
    pieces: Sequence[Piece]


class _Merge:
    """One merge of texts that differ."""

    def __init__(
        self,
        canonical: str,
        active: Sequence[Contribution],
        strategies: Strategies | None,
        resolutions: Mapping[str, Resolution] | None,
        canonical_label: str,
        markers: Markers,
        reader: Reader,
        most_conflicts: int | None,
    ) -> None:
        self._active = active
        self._cursor = (strategies or Strategies()).root
        editors = {e.label: e.by for e in active}
        self._run = Run(resolutions or {}, editors, canonical_label, most_conflicts)
        self._run.merge_entry = merge_entry
        self._run.merge_value = merge_value
        self._canonical_text = canonical
        for label, text in _texts(canonical, active):
            refuse_odd_breaks(label, text)
        self._dress = Dress(canonical, [(each.base, each.text) for each in active])
        self._reader = reader
        self._parsed: dict[str, tuple[Source, list[Document]]] = {}
        self._markers = markers
        self._canonical = self._parse(CANONICAL, canonical)
        self._editors = [
            (e.label, self._parse(f"the base of {e.label}", e.base), self._parse(e.label, e.text))
            for e in active
        ]
        self._order = self._editors
        self._other_ways = self._ways()
        edits = [(base[0], side[0]) for _, base, side in self._editors]
        self._finish = Finish(self._run, reader, self._dress, self._canonical[0], edits)
        if resolutions:
            from bps.merge.typed import anchors_in  # noqa: PLC0415 - only for resolutions

            texts = [*self._parsed, *(each.text or "" for each in resolutions.values())]
            self._run.anchors = frozenset[str]().union(*map(anchors_in, texts))

    def _parse(self, label: str, text: str) -> tuple[Source, list[Document]]:
        found = self._parsed.get(text)
        if found is None:
            source = Source(label, self._dress.stripped(text))
            found = self._parsed[text] = (source, self._reader.read(source))
        return found

    def run(self) -> Merged:
        run, documents, canonical = self._run, self._documents(), self._canonical[0]
        editors = [(label, base[0], side[0]) for label, base, side in self._editors]
        if any(each.source.anchored or each.source.aliases for each in documents):
            from bps.merge.anchors import contested_anchors  # noqa: PLC0415 - most have none

            run.doubt(contested_anchors(canonical, editors, documents))
        if run.resolutions and any(each.source.aliases for each in documents):
            # What is in doubt must not depend on what was decided of something else.
            decisions, run.resolutions = run.resolutions, {}
            self._doubtless(editors, documents)
            run.resolutions = decisions
        return self._doubtless(editors, documents)

    def _doubtless(self, editors: Editors, documents: Sequence[Document]) -> Merged:
        """Merge until no more is in doubt, or `ROUNDS` times."""
        run, canonical = self._run, self._canonical[0]
        for _ in range(ROUNDS):
            run.again()
            nowhere = next((each for each in run.doubts if not each.nodes), None)
            if nowhere is not None:
                return self._document_conflict(nowhere.kind, nowhere.finding)
            decided = self._decided()
            if isinstance(decided, Conflicting):
                return self._document_conflict(decided.kind, decided.finding)
            wrong = None
            if not run.conflicts:
                doubts = run.doubts
                if not run.met.issuperset(doubts):
                    from bps.merge.anchors import lifted  # noqa: PLC0415 - as above

                    # No entry is merged at the place of the anchor itself: then the one around it.
                    wider = [e if e in run.met else lifted(e, documents) for e in doubts]
                    run.doubt(wider)
                    continue
                text, wrong = self._finish.ended("".join(map(str, decided.pieces)), decided.slots)
                if wrong is None:
                    text = self._finish.with_comments_once(text, decided.slots)
                    return self._merged(self._dress.dressed(text), None)
            from bps.merge.choices import doubts_of_choices  # noqa: PLC0415 - not if clean

            more = doubts_of_choices(decided.pieces, canonical, editors, run, documents)
            if more is not None:
                run.doubt(more)
            elif wrong is None:
                settled = "".join(each for each in decided.pieces if isinstance(each, str))
                self._finish.tell_of_doubled_comments(settled)
                return self._merged(None, self._marked(decided.pieces))
            elif not next(self._other_ways, False):
                return self._document_conflict(Kind.DOCUMENT, wrong)
        # Kept as a doubt, so that decisions find the same conflict.
        run.doubt([UNSETTLED])
        run.again()
        return self._document_conflict(UNSETTLED.kind, UNSETTLED.finding)

    def _ways(self) -> Iterator[bool]:
        """Make ready for each other way to put together what reads wrong, the careful one last."""
        if not self._dress.last_newline:
            from bps.merge.last_additions import as_they_end  # noqa: PLC0415 - hardly ever

            self._order = as_they_end(self._editors)
            yield True
            # Without a newline a block scalar that came to stand last would say something else.
            self._order, self._dress.last_newline = self._editors, True
            yield True
            self._dress.last_newline = False
        self._run.careful = True
        yield True

    def _decided(self) -> _Decided | Conflicting:
        """Every document merged once, as far as nothing was in doubt."""
        slots = merge_documents(
            self._run,
            self._cursor,
            self._canonical[1],
            [(label, base[1], side[1]) for label, base, side in self._order],
        )
        if slots is None:
            return Conflicting(Kind.DOCUMENT)
        if isinstance(slots, Conflicting):
            return slots
        tail = merged_trailer(self._canonical, self._editors)
        if tail is None:
            finding = "editors changed what follows the end"
            return Conflicting(Kind.DOCUMENT, finding=finding)
        return _Decided(slots, [*in_stream(slots), tail])

    def _documents(self) -> list[Document]:
        return [each for _, found in self._parsed.values() for each in found]

    def _base_label(self) -> str:
        forked = all(base is self._canonical for _, base, _ in self._editors)
        return self._run.canonical_label if forked else "base"

    def _marked(self, pieces: Sequence[Piece]) -> str:
        text = render(pieces, self._base_label(), self._markers)
        last = next(piece for piece in reversed(pieces) if piece != "")
        return self._dress.dressed(self._dress.ended(text) if isinstance(last, str) else text)

    def _merged(self, text: str | None, marked: str | None) -> Merged:
        run = self._run
        shown = marked if marked is not None else text or ""
        told = (tuple(run.conflicts), tuple(run.notices), tuple(run.origins))
        return Merged(text, shown, *told, tuple(run.decided.values()))

    def _document_conflict(self, kind: Kind, finding: str | None) -> Merged:
        """The whole text is left to a person."""
        run = self._run
        run.conflicts.clear()
        run.origins.clear()
        variants = {text: _whole(source) for text, (source, _) in self._parsed.items()}
        # Of those that canonical left behind, so that it is told beside them; then the first by
        # name, so that the conflict is the same in whatever order they came.
        first = min(self._active, key=lambda e: (e.base == self._canonical_text, e.label))
        sides = [(each.label, variants[each.text], variants[each.base]) for each in self._active]
        if first.base != self._canonical_text:
            canonical = variants[self._canonical_text]
            sides.insert(0, (CANONICAL, canonical, variants[first.base]))
        base = variants[first.base]
        conflict, resolution = run.conflict((), kind, base, sides, finding=finding)
        if resolution is None:
            texts = tuple((label, variant.text) for label, variant, _ in sides)
            opened = Open(conflict, base.text, texts)
            marked = render([opened], self._base_label(), self._markers)
            return self._merged(None, self._dress.dressed(marked))
        if resolution.text is not None:
            text = resolution.text
            if not text.strip():
                advice = "write all of it, or take a version as it is"
                raise Unreadable("the edited value", 1, 1, "no text", advice)
        elif resolution.take == "base":
            text = base.text
        else:
            chosen = {label: variant.text for label, variant, _ in sides}
            fallback = self._dress.stripped(self._canonical_text)
            text = chosen.get(resolution.take or "", fallback)
        from bps.merge.parse import validate  # noqa: PLC0415 - only for resolutions

        validate(Source("the edited value", text))
        return self._merged(self._dress.dressed(text), None)


def _whole(source: Source) -> Variant:
    return Variant(True, None, source.text, source.span(0, len(source.text)))  # noqa: FBT003
