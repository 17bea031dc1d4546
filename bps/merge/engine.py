"""The merge: canonical and any number of contributions to one text, or to conflicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bps.merge.anchors import contested_anchor, repeated_anchor
from bps.merge.check import agrees, dangling_alias
from bps.merge.comments import doubled_comments
from bps.merge.entries import merge_entry
from bps.merge.markers import USUAL, Markers, render
from bps.merge.newlines import BOM, picked, plain, refuse_odd_breaks, style_of
from bps.merge.parse import Document, validate
from bps.merge.pauses import CollectionPaused
from bps.merge.reader import Reader
from bps.merge.records import (
    CANONICAL,
    Contribution,
    Kind,
    Merged,
    Origin,
    Resolution,
    Variant,
)
from bps.merge.refusals import Unreadable
from bps.merge.results import Conflicting
from bps.merge.run import Run
from bps.merge.slots import Open, Piece, Slot
from bps.merge.source import Source
from bps.merge.strategies import Strategies
from bps.merge.streams import merge_documents
from bps.merge.values import merge_value


def merge(
    canonical: str,
    contributions: Sequence[Contribution],
    *,
    strategies: Strategies | None = None,
    resolutions: Mapping[str, Resolution] | None = None,
    canonical_label: str = CANONICAL,
    markers: Markers = USUAL,
    reader: Reader | None = None,
) -> Merged:
    """Merge all contributions into canonical.

    Each contribution's edits are those from its own `base` to its `text`; canonical's own edits
    since that base count as one more editor's. For the plain three-way merge of BASE, A and B,
    canonical is BASE and both contributions name it as their base. `resolutions` by conflict id
    are applied where they meet their conflict; the others are ignored. What `reader` has read
    of these texts before is not read again, and it keeps what it reads here.

    Raises:
        Unreadable: a version, or a resolution's text, is not YAML or cannot be kept byte-exactly.

    Cost: equal bytes are compared and checked only; otherwise libyaml checks the first text and the
    result at 15 ms a MB each, and nodes are made of what differs alone (`bps.merge.reader`).
    """
    active = [each for each in contributions if each.text != each.base]
    for label, text in {text: label for label, text in _texts(canonical, contributions)}.items():
        if not active or len({each.text for each in active}) == 1:
            validate(Source(text, label))
    by_bytes = _by_bytes(canonical, active)
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
        ).run()


def _texts(canonical: str, contributions: Sequence[Contribution]) -> list[tuple[str, str]]:
    found = [(CANONICAL, canonical)]
    for each in contributions:
        found += [(f"the base of {each.label}", each.base), (each.label, each.text)]
    return found


def _by_bytes(canonical: str, active: Sequence[Contribution]) -> Merged | None:
    """Law 1, by equality of bytes."""
    if not active:
        return Merged(canonical, canonical, (), (), ())
    text = active[0].text
    if any(each.text != text for each in active):
        return None
    labels = tuple(each.label for each in active)
    if all(each.base == canonical for each in active):
        return Merged(text, text, (), (), (Origin("", "changed", labels),))
    if canonical == text:
        return Merged(text, text, (), (), (Origin("", "changed", (CANONICAL, *labels)),))
    return None


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
    ) -> None:
        self._active = active
        self._cursor = (strategies or Strategies()).root
        self._run = Run(resolutions or {}, {e.label: e.by for e in active}, canonical_label)
        self._run.merge_entry = merge_entry
        self._run.merge_value = merge_value
        self._canonical_text = canonical
        texts = _texts(canonical, active)
        styles = [style_of(text) for _, text in texts]
        for label, text in texts:
            refuse_odd_breaks(label, text)
        self._pure = all(style.crlf is not None for style in styles)
        self._style = [
            picked(
                styles[0][index],
                [(styles[2 * i + 1][index], styles[2 * i + 2][index]) for i in range(len(active))],
            )
            for index in range(3)
        ]
        self._reader = reader
        self._parsed: dict[str, tuple[Source, list[Document]]] = {}
        self._markers = markers
        self._canonical = self._parse(CANONICAL, canonical)
        self._editors = [
            (e.label, self._parse(f"the base of {e.label}", e.base), self._parse(e.label, e.text))
            for e in active
        ]

    def _parse(self, label: str, text: str) -> tuple[Source, list[Document]]:
        found = self._parsed.get(text)
        if found is None:
            source = Source(label, plain(text, crlf=self._pure))
            found = self._parsed[text] = (source, self._reader.read(source))
        return found

    def run(self) -> Merged:
        run = self._run
        slots = merge_documents(
            run,
            self._cursor,
            self._canonical[1],
            [(label, base[1], side[1]) for label, base, side in self._editors],
        )
        if slots is None:
            return self._document_conflict(Kind.DOCUMENT, None)
        if isinstance(slots, Conflicting):
            return self._document_conflict(slots.kind, slots.finding)
        tail = self._tail()
        if tail is None:
            return self._document_conflict(Kind.DOCUMENT, "editors changed what follows the end")
        pieces = [*_stream(slots), tail]
        if run.conflicts:
            label = self._base_label()
            return self._merged(None, self._dressed(render(pieces, label, self._markers)))
        finding = self._contested_anchor()
        if finding is not None:
            return self._document_conflict(Kind.ANCHOR, finding)
        text = self._ended("".join(str(piece) for piece in pieces))
        versions = [source for source, _ in self._parsed.values()]
        wrong = _wrong(text, slots, self._reader, versions)
        if wrong is not None:
            return self._document_conflict(Kind.DOCUMENT, wrong)
        self._tell_of_doubled_comments(text)
        return self._merged(self._dressed(text), None)

    def _tell_of_doubled_comments(self, text: str) -> None:
        sides = [side[0].text for _, _, side in self._editors]
        base = self._editors[0][1][0].text
        for comment in doubled_comments(text, base, [*sides, self._canonical[0].text]):
            self._run.notice((), f"the comment {comment!r} stands twice, or came back")

    def _tail(self) -> str | None:
        """What follows the last document, from its `...` on; None where editors differ."""
        canonical = _after_content(self._canonical)
        edits = [(_after_content(base), _after_content(side)) for _, base, side in self._editors]
        wanted = {side for base, side in edits if base != side}
        if any(base != canonical for base, side in edits if base != side):
            wanted.add(canonical)
        if len(wanted) > 1:
            return None
        return wanted.pop() if wanted else canonical

    def _contested_anchor(self) -> str | None:
        """Whether an anchor and its aliases were changed apart, by editors or by canonical."""
        editors = [(label, base[0], side[0]) for label, base, side in self._editors]
        canonical = self._canonical[0]
        for editor in editors:
            if editor[1] is not canonical:
                finding = contested_anchor([(CANONICAL, editor[1], canonical), editor])
                if finding is not None:
                    return finding
        return contested_anchor(editors)

    def _base_label(self) -> str:
        forked = all(base is self._canonical for _, base, _ in self._editors)
        return self._run.canonical_label if forked else "base"

    def _ended(self, text: str) -> str:
        """With the last newline that the merge of the versions' has, or without."""
        if not self._style[2] and text.endswith("\n") and not text.endswith("\n\n"):
            return text[:-1]
        return text

    def _dressed(self, text: str) -> str:
        """With the byte order mark and the line ends of the merge."""
        if self._pure and self._style[1]:
            text = text.replace("\n", "\r\n")
        return BOM + text if self._style[0] else text

    def _merged(self, text: str | None, marked: str | None) -> Merged:
        run = self._run
        shown = marked if marked is not None else text or ""
        return Merged(text, shown, tuple(run.conflicts), tuple(run.notices), tuple(run.origins))

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
            return self._merged(None, self._dressed(marked))
        if resolution.text is not None:
            text = resolution.text
        elif resolution.take == "base":
            text = base.text
        else:
            chosen = {label: variant.text for label, variant, _ in sides}
            fallback = plain(self._canonical_text, crlf=self._pure)
            text = chosen.get(resolution.take or "", fallback)
        validate(Source("the edited value", text))
        return self._merged(self._dressed(text), None)


def _after_content(version: tuple[Source, list[Document]]) -> str:
    source, documents = version
    return source.text[documents[-1].body_end :]


def _whole(source: Source) -> Variant:
    return Variant(True, None, source.text, source.span(0, len(source.text)))  # noqa: FBT003


def _stream(slots: Sequence[Slot]) -> list[Piece]:
    """The documents one after the other, each but the first behind a line of `---`."""
    pieces: list[Piece] = []
    for index, slot in enumerate(slots):
        lead = slot.lead
        marked = any("---" in each for each in lead if isinstance(each, str))
        if index and not slot.whole and not marked:
            lead = ("---\n", *lead)
        last = pieces[-1] if pieces else "\n"
        if isinstance(last, str) and not last.endswith("\n"):
            pieces.append("\n")
        pieces += [piece for piece in (slot.gap, *lead, *slot.body) if piece != ""]
    return pieces


def _wrong(
    text: str, slots: Sequence[Slot], reader: Reader, versions: Sequence[Source]
) -> str | None:
    """Law 5: why the text does not read as what was computed."""
    source = Source("the result", text)
    try:
        documents = reader.read_result(source)
    except Unreadable as error:
        return f"the versions cannot be put together: {error.what}"
    expected = [slot.expected for slot in slots]
    if len(documents) != len(expected) or not all(
        agrees(document.root, each) for document, each in zip(documents, expected, strict=True)
    ):
        return "put together, the versions read as something else"
    for document in documents if source.aliases else ():
        alias = dangling_alias(document)
        if alias is not None:
            return f"the alias *{alias} would have no anchor"
    return repeated_anchor(source, versions) if source.aliases else None
