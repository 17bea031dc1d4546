"""The merged text with conflict markers, as git writes them in its diff3 style."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.slots import Open, Piece


def render(pieces: Sequence[Piece], base_label: str) -> str:
    """Join the pieces of a result; conflicts become marked lines, N sides one after another."""
    parts: list[str] = []
    fresh_line = True
    for piece in pieces:
        text = piece if isinstance(piece, str) else _marked(piece, base_label)
        if not text:
            continue
        if not isinstance(piece, str) and not fresh_line:
            parts.append("\n")
        parts.append(text)
        fresh_line = text.endswith("\n")
    return "".join(parts)


def _marked(piece: Open, base_label: str) -> str:
    (first_label, first), *others = piece.sides
    lines = [f"<<<<<<< {first_label}\n", _lines(first)]
    lines += [f"||||||| {base_label}\n", _lines(piece.base)]
    for label, text in others[:-1]:
        lines += [f"======= {label}\n", _lines(text)]
    if others:
        label, text = others[-1]
        lines += ["=======\n", _lines(text), f">>>>>>> {label}\n"]
    else:
        lines += ["=======\n", f">>>>>>> {base_label}\n"]
    return "".join(lines)


def _lines(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
