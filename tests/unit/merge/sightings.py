"""Everything that a reading of a text is asked for, as plain values that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from bps.merge.elements import Element
from bps.merge.parse import parse
from bps.merge.reader import Reader
from bps.merge.refusals import Unreadable
from bps.merge.run import Run
from bps.merge.source import Document, Node, Source
from bps.merge.streams import document_element

_LINES = (
    "x: |",
    "- |",
    '"',
    "'",
    "# c",
    "",
    "   ",
    "- ",
    "? a",
    ": b",
    'k: "a',
    'b"',
    "- - a",
    "{a: 1}",
    "a: [1,",
    "b]",
    "---",
    "...",
    "\tx",
    "k: &a 1",
    "*a",
    "!!str",
    "a: |+",
    "z:",
    "z: # c",
    "- a: 1",
    "é: ü",
    "- ? x",
    "%A",
    "-\tb",
    "a: >-",
    "- k:",
    "k:\n- a",
)
_REGULAR = (
    "a: 1",
    "b: x y",
    "c:",
    "a: 1  # c",
    "- x",
    "- a: 1",
    "- b:",
    "-",
    "# c",
    "",
    "b: 'q'",
    '"a": 1',
    "a: |",
    "- |",
    "text",
    "- - 1",
    '# "',
    "a: x",
)
_ENDINGS = ("9", " # c", " x", '"', ":", " |", " >", " [", "'", " &a")


def seen(read: Callable[[Source], list[Document]], text: str) -> object:
    """The documents, nodes and elements of a text as they are read, or the refusal."""
    source = Source("a version", text)
    try:
        documents = read(source)
    except Unreadable as error:
        return error.what, error.args
    marks = len(source.aliases), len(source.anchored)
    return marks, [
        (
            (each.start, each.body, each.body_end, each.explicit),
            None if each.root is None else (_node(each.root), each.root.data),
            _element(Run({}, {}, "base"), document_element(each)),
        )
        for each in documents
    ]


def assert_read_alike(texts: Sequence[str]) -> None:
    """One Reader sees in all versions what a parse of each one sees, the last one as a result."""
    reader = Reader()
    read = [seen(reader.read, text) for text in texts]
    read.append(seen(reader.read_result, texts[-1]))
    for text, found in zip([*texts, texts[-1]], read, strict=True):
        assert found == seen(parse, text), f"read otherwise:\n{text}\nknown:\n{texts[0]}"


def drawn_text(random: Random) -> str:
    """A few lines that may belong to anything, as often YAML as not."""
    lines = []
    column = 0
    for _ in range(random.randrange(1, 9)):
        column = max(0, column + random.choice((-2, -2, -1, 0, 0, 0, 0, 1, 2, 2)))
        lines.append(" " * column + random.choice(_LINES + _REGULAR))
    return "\n".join(lines) + random.choice(("", "\n", "\n", "\n", "\n\n"))


def hurt(random: Random, text: str) -> str:
    """The text with a few lines lost, added, moved, indented or ended in another way."""
    for _ in range(random.choice((1, 1, 2, 4))):
        lines = text.split("\n")
        at = random.randrange(len(lines))
        kind = random.randrange(6)
        if kind == 0:
            del lines[at : at + 1]
        elif kind == 1:
            lines.insert(at, " " * random.choice((0, 0, 1, 2, 2, 4, 6)) + random.choice(_LINES))
        elif kind == 2:
            lines[at] += random.choice(_ENDINGS)
        elif kind == 3:
            block = lines[at : at + random.randrange(1, 6)]
            place = random.randrange(len(lines))
            lines[place:place] = block
        elif kind == 4:
            lines[at] = " " * random.choice((1, 2)) + lines[at]
        else:
            lines[at] = lines[at][random.choice((1, 2)) :]
        text = "\n".join(lines)
    return text if random.randrange(20) else text.rstrip("\n")


def _node(node: Node) -> tuple[object, ...]:
    place = (node.start, node.end, node.first, node.column)
    shape = (node.kind, node.anchor, node.tag, node.flow, node.style)
    return (*place, *shape, node.value, node.text, [_node(child) for child in node.children])


def _element(run: Run, element: Element | None) -> object:
    if element is None:
        return None
    place = (element.column, element.gap, element.lead, element.start, element.end)
    told = (*place, element.inline, element.rooted, element.comment)
    if element.value is None or element.value.kind not in {"mapping", "sequence"}:
        return told
    inside = run.elements(element)
    if inside is None:
        return told, None
    return told, [_element(run, each) for each in inside.items], inside.tail
