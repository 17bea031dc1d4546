"""Whose additions can stand last, in a text that ends without newline."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.finish import Editor, Version


def as_they_end(editors: Sequence[Editor]) -> list[Editor]:
    """The editors in the order in which their additions fit before an end without newline.

    A block scalar that ends a text without newline says something else anywhere but at the end, and
    one with it says something else there.
    """
    return sorted(editors, key=lambda editor: _needs_the_end(editor[2]))


def _needs_the_end(version: Version) -> int:
    """How much a version's last entry has to stand at an end without newline."""
    source, documents = version
    if source.text.endswith("\n"):
        return 0
    node = documents[-1].root
    while node is not None and node.block:
        node = node.children[-1]
    if node is None or not node.block_scalar or node.end < len(source.text):
        return 1
    return 1 if "-" in node.text.partition("\n")[0].partition("#")[0] else 2
