"""Block scalars that several editors changed: merged line by line (`text`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bps.merge.elements import Element
from bps.merge.results import Fresh
from bps.merge.run import Change, Path, Run
from bps.merge.slots import Lines
from bps.merge.source import BLOCK_HEADER, Node


def merge_block_scalars(
    run: Run, path: Path, canonical: Element, sides: Sequence[Change], column: int
) -> Fresh | None:
    """Merge the lines of block scalars, and whether they strip; None where editors collide.

    Also None where the headers differ in more than `-`, for the same lines then read differently,
    where anchor or tag stand on a line of their own, and where the editors forked from different
    texts.
    """
    nodes = [_node(canonical), *(_node(e) for each in sides for e in (each.base, each.side))]
    cut = [_cut(node) for node in nodes]
    header = _merged_header([header for header, _, _ in cut])
    if not header:
        return None
    bases = {tuple(lines) for _, lines, _ in cut[1::2]}
    if len(bases) > 1:
        return None
    from bps.merge.lines import Contested, merge_lines  # noqa: PLC0415 - not every merge has one

    merged: list[str] = []
    for chunk in merge_lines(cut[1][1], [lines for _, lines, _ in cut[2::2]]):
        if isinstance(chunk, Contested):
            return None
        merged += chunk.lines
    indent = cut[0][2]
    margin = " " * (column + max(1, indent - canonical.column))
    ending = "\r\n" if "\r\n" in nodes[0].text else "\n"
    body = "".join(f"{margin}{line}{ending}" if line else ending for line in merged)
    run.origin(path, "merged", [each.label for each in sides])
    return Fresh(
        canonical, (header,), Lines(header, tuple(merged)), block=False, after=ending + body
    )


def _merged_header(headers: Sequence[str]) -> str | None:
    """The header of canonical's, then each editor's base and side, merged as one leaf."""
    if len({header.replace("-", "") for header in headers}) > 1:
        return None
    pairs = list(zip(headers[1::2], headers[2::2], strict=True))
    wanted = {side for base, side in pairs if base != side}
    if any(base != headers[0] for base, side in pairs if base != side):
        wanted.add(headers[0])
    if len(wanted) > 1:
        return None
    return wanted.pop() if wanted else headers[0]


def _node(element: Element | None) -> Node:
    assert element is not None and element.value is not None  # noqa: S101, PT018 - asked of scalars
    return element.value


def _cut(node: Node) -> tuple[str, list[str], int]:
    """Anchor, tag and indicators, lines without indent, and the indent.

    Nothing for the first where the indicators stand on another line than the anchor or tag.
    """
    _, _, rest = node.text.partition("\n")
    found = re.match(BLOCK_HEADER, node.text)
    header = "" if found is None else found[0]
    lines = [line.rstrip("\r") for line in rest.split("\n")]
    if lines and lines[-1] == "":
        lines.pop()
    filled = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    indent = min(filled, default=0)
    return header, [line[indent:] for line in lines], indent


def reads_as(node: Node, expected: Lines) -> bool:
    """Whether a node is the block scalar that was made of lines."""
    if not node.block_scalar:
        return False
    header, lines, _ = _cut(node)
    return (header, tuple(lines)) == expected
