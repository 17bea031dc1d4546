"""The merged text with conflict markers, as git writes them in its diff3 style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bps.merge.named_tuple import NamedTuple
from bps.merge.slots import Open, Piece

USUAL_SIZE = 7


class Markers(NamedTuple):
    """How markers look: characters of each, and what they call a label that is among `names`."""

    size: int = USUAL_SIZE
    names: Mapping[str, str] | None = None

    def line(self, sign: str, label: str = "", end: str = "\n") -> str:
        """One marker as a line; `sign` is one of `<|=>`."""
        name = label if self.names is None else self.names.get(label, label)
        return f"{sign * self.size} {name}{end}" if name else f"{sign * self.size}{end}"


USUAL = Markers()


def render(pieces: Sequence[Piece], base_label: str, markers: Markers) -> str:
    """Join the pieces of a result; conflicts become marked lines, N sides one after another."""
    parts: list[str] = []
    fresh_line = True
    for piece in pieces:
        text = piece if isinstance(piece, str) else _marked(piece, base_label, markers)
        if not text:
            continue
        if not isinstance(piece, str) and not fresh_line:
            parts.append("\n")
        parts.append(text)
        fresh_line = text.endswith("\n")
    return "".join(parts)


def _marked(piece: Open, base_label: str, markers: Markers) -> str:
    (first_label, first), *others = piece.sides
    lines = [markers.line("<", first_label), _lines(first)]
    lines += [markers.line("|", base_label), _lines(piece.base)]
    for label, text in others[:-1]:
        lines += [markers.line("=", label), _lines(text)]
    if others:
        label, text = others[-1]
        lines += [markers.line("="), _lines(text), markers.line(">", label)]
    else:
        lines += [markers.line("="), markers.line(">", base_label)]
    return "".join(lines)


def _lines(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
