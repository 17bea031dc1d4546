"""The last of a merge: what follows its documents, ends of lines, the check, doubled comments."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.check import why_wrong
from bps.merge.newlines import Dress
from bps.merge.reader import Reader
from bps.merge.run import Run
from bps.merge.slots import Slot
from bps.merge.source import Document, Source

Version = tuple[Source, list[Document]]
Editor = tuple[str, Version, Version]
"""Label, base, side."""


class Finish:
    """Makes a result of the text that its documents were put together to.

    `edits` are base and side of each editor, as they are merged: without what `dress` gives back.
    """

    def __init__(
        self,
        run: Run,
        reader: Reader,
        dress: Dress,
        canonical: Source,
        edits: Sequence[tuple[Source, Source]],
    ) -> None:
        self._run = run
        self._reader = reader
        self._dress = dress
        self._canonical = canonical
        self._edits = edits

    def ended(self, text: str, slots: Sequence[Slot]) -> tuple[str, str | None]:
        """The text with its last newline and the blanks behind comments, and why it is wrong."""
        text = self._dress.ended(text)
        if self._run.by_rows and len(slots) == 1:
            return text, self._why_wrong(text, slots)
        from bps.merge.comment_blanks import with_comment_blanks  # noqa: PLC0415 - see `by_rows`

        edits = [(base.text, side.text) for base, side in self._edits]
        spaced = with_comment_blanks(text, self._canonical.text, edits)
        wrong = self._why_wrong(spaced, slots)
        if wrong is None or spaced == text:
            return spaced, wrong
        # A line of a text looked like a comment.
        return text, self._why_wrong(text, slots)

    def with_comments_once(self, text: str, slots: Sequence[Slot]) -> str:
        """A text that is right; with a comment twice in it what merging by lines makes instead.

        If that has each comment once and reads the same; else they are told.
        """
        if self._by_single_edits(slots):
            return text
        doubled = self._doubled(text, clean=True)
        if doubled and len({base.text for base, _ in self._edits}) == 1:
            from bps.merge.line_result import merged_by_lines  # noqa: PLC0415 - few have any

            lines = merged_by_lines(*self._base_and_sides())
            other = None if lines is None else self._dress.ended(lines)
            once = other is not None and not self._doubled(other, clean=True)
            if other is not None and once and self._why_wrong(other, slots) is None:
                return other
        self._tell_of(doubled)
        return text

    def tell_of_doubled_comments(self, settled: str) -> None:
        """Those in what stands outside of conflicts."""
        self._tell_of(self._doubled(settled, clean=False))

    def _by_single_edits(self, slots: Sequence[Slot]) -> bool:
        """Whether each line of a comment is one that canonical has, or one editor alone.

        Then none was deleted by two and put elsewhere by each, so that none stands twice.
        """
        return (
            self._run.by_rows
            and len(slots) == 1
            and all(base is self._canonical for base, _ in self._edits)
            and all(len(each.sources) == 1 for each in self._run.origins)
        )

    def _why_wrong(self, text: str, slots: Sequence[Slot]) -> str | None:
        source = Source("the result", text)
        wrong = why_wrong(source, [slot.expected for slot in slots], self._reader)
        if wrong is None and source.aliases:
            from bps.merge.anchors import repeated_anchor  # noqa: PLC0415 - most have none

            every = [self._canonical, *(each for edit in self._edits for each in edit)]
            return repeated_anchor(source, list(dict.fromkeys(every)))
        return wrong

    def _doubled(self, text: str, *, clean: bool) -> list[str]:
        from bps.merge.doubled_comments import doubled_comments  # noqa: PLC0415 - as above

        resolutions, decided = self._run.resolutions, self._run.decided
        typed = "\n".join(resolutions[each].text or "" for each in decided)
        return doubled_comments(text, *self._base_and_sides(), typed, clean=clean)

    def _base_and_sides(self) -> tuple[str, list[str]]:
        return self._edits[0][0].text, [
            *(side.text for _, side in self._edits),
            self._canonical.text,
        ]

    def _tell_of(self, doubled: Sequence[str]) -> None:
        for comment in doubled:
            self._run.notice((), f"the comment {comment!r} stands twice, or came back")


def merged_trailer(canonical: Version, editors: Sequence[Editor]) -> str | None:
    """What the result has, from canonical and editors (label, base, side); None in a conflict."""
    own = _trailer(canonical)
    edits = [(_trailer(base), _trailer(side)) for _, base, side in editors]
    wanted = {side for base, side in edits if base != side}
    if any(base != own for base, side in edits if base != side):
        wanted.add(own)
    if len(wanted) > 1:
        return None
    return wanted.pop() if wanted else own


def _trailer(version: Version) -> str:
    source, documents = version
    return source.text[documents[-1].body_end :]
