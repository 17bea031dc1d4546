"""Values that a person typed, before they are written anywhere: what can stand at no place."""

from __future__ import annotations

import re
from collections.abc import Collection

from bps.merge.named_tuple import NamedTuple
from bps.merge.newlines import BOM, refuse_odd_breaks
from bps.merge.parse import parse
from bps.merge.refusals import Unreadable
from bps.merge.source import Source

LABEL = "the edited value"
_ANCHOR = r"&([^\s,\[\]{}]+)"


class Alias(NamedTuple):
    """An alias in a typed value; line and column from 1."""

    line: int
    column: int
    name: str


def in_lines(text: str) -> str:
    """A typed value with LF at the end of its lines; the merge gives it those of the result.

    Raises:
        Unreadable: a byte order mark, or a line break that YAML 1.1 and 1.2 read differently.
    """
    if BOM in text:
        before = text[: text.index(BOM)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise Unreadable(LABEL, line, column, "a byte order mark (U+FEFF)", "remove it")
    refuse_odd_breaks(LABEL, text)
    return text.replace("\r\n", "\n")


def anchors_in(text: str) -> set[str]:
    """All names that a text may define; what looks like an anchor counts."""
    return set(re.findall(_ANCHOR, text))


def refuse_unknown_aliases(text: str, known: Collection[str]) -> None:
    """Refuse an alias that nothing can stand for.

    Raises:
        Unreadable: it is no YAML, or has an alias whose anchor is neither `known` nor its own.
    """
    if "*" not in text:
        return
    unknown = next((each for each in aliases_in(text) if each.name not in known), None)
    if unknown is not None:
        hint = "write the value out, or name an anchor that stands before this place"
        what = f"the alias *{unknown.name} has no anchor"
        raise Unreadable(LABEL, unknown.line, unknown.column, what, hint)


def aliases_in(text: str) -> list[Alias]:
    """The aliases to something that stands outside of a typed value, as they follow.

    Raises:
        Unreadable: it is no YAML.
    """
    source = Source(LABEL, text.rstrip() + "\n")
    parse(source)
    own = {node.anchor for node in source.anchored}
    outside = [node for node in source.aliases if node.value not in own]
    return [Alias(*source.position(node.start), node.value) for node in outside]


def comment_lines(text: str) -> str:
    """Typed comments, each line with its newline; nothing where nothing was typed.

    Raises:
        Unreadable: a line is no comment.
    """
    if not text.strip():
        return ""
    for number, line in enumerate(text.rstrip().split("\n"), 1):
        content = line.lstrip()
        if content and not content.startswith("#"):
            at = len(line) - len(content) + 1
            raise Unreadable(LABEL, number, at, "not a comment", "begin each line with `#`")
    return text.strip("\n").rstrip() + "\n"
