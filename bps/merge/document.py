"""One document of a text, whoever read it."""

from __future__ import annotations

from bps.merge.source import Node, Source

KEEPS = r"[|>][0-9]?\+"
"""The indicators of a block scalar that keeps the blank lines behind it."""


class Document:
    """One document of a stream.

    `start`..`body` is what stands before its content (the line of an explicit `...` of the one
    before, comments, directives, the line of `---`), `body`..`body_end` the content with the
    comments around it. `root` is None where it is empty.
    """

    __slots__ = ("body", "body_end", "explicit", "root", "source", "start")

    def __init__(self, source: Source, start: int, body: int) -> None:
        self.source = source
        self.start = start
        self.body = body
        self.body_end = body
        self.explicit = False
        self.root: Node | None = None
