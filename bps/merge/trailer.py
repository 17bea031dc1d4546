"""What follows the last document of a text, from its `...` on."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.parse import Document
from bps.merge.source import Source

Version = tuple[Source, list[Document]]


def merged_trailer(
    canonical: Version, editors: Sequence[tuple[str, Version, Version]]
) -> str | None:
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
