"""A model of YAML text: what people write, with its layout, so that edits leave the rest as it is.

A document is drawn, edited as a tree, and written out. Writing is a pure function of the tree:
what an edit did not touch is written byte for byte as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from zlib import crc32

NOTE = "note-"
"""Every generated comment holds this and a number, and no scalar does."""
MIXED = "mixed"
"""How the lines of a text end of which some end in CRLF and others in LF."""


@dataclass(frozen=True)
class Scalar:
    """A scalar or alias as source; further lines are written at the indent of its place."""

    source: str


@dataclass(frozen=True)
class Block:
    """A literal or folded scalar: its header, and its lines without indent."""

    header: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Items:
    """A collection. `indent` is the distance of its entries from the entry that holds it.

    `identity` names the field that tells its elements apart, "=" those of a set, "" none.
    `spread`: of flow style, with a line and room for comments for each entry.
    """

    mapping: bool
    entries: tuple[Entry, ...]
    flow: bool = False
    indent: int = 2
    properties: str = ""
    identity: str = ""
    spread: bool = False


Value = Scalar | Block | Items


@dataclass(frozen=True)
class Entry:
    """An entry of a collection; without a value it is a comment that stands alone.

    `uid` is the same in every version of a document. `gap` counts the blank lines before it. A
    `question` is written as `? key` with that comment, if any, and its value on lines of its own.
    """

    uid: int
    key: str | None
    value: Value | None
    lead: tuple[str, ...] = ()
    trailing: str = ""
    gap: int = 0
    question: str | None = None


@dataclass(frozen=True)
class Page:
    """One document of a stream: `head` are the lines before its content, `foot` those behind."""

    root: Items
    head: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A text: its pages and how its lines end."""

    pages: tuple[Page, ...]
    newline: str = "\n"
    final_newline: bool = True
    mark: str = ""

    @property
    def text(self) -> str:
        """As YAML."""
        lines: list[str] = []
        for page in self.pages:
            lines += [*page.head, *written(page.root, 0), *page.foot]
        if self.newline == MIXED:
            # By its content, so that an edit leaves the ends of other lines as they are.
            lines = [line + "\r" * (crc32(line.encode()) % 3 == 0) for line in lines]
            lines[-1] = lines[-1].rstrip("\r") if not self.final_newline else lines[-1]
        newline = "\n" if self.newline == MIXED else self.newline
        return self.mark + newline.join(lines) + (newline if self.final_newline else "")


def written(items: Items, column: int) -> list[str]:
    """The lines of a collection whose entries stand at `column`."""
    if is_flow(items):
        first, *more = flow_lines(items, column)
        return [" " * column + first, *more]
    return [line for entry in items.entries for line in lines_of(entry, column)]


def lines_of(entry: Entry, column: int) -> list[str]:
    """The lines of an entry at `column`, with its comments and the blank lines before it."""
    margin = " " * column
    before = [""] * entry.gap + [margin + line for line in entry.lead]
    if entry.value is None:
        return [*before, ""]
    head = margin + ("-" if entry.key is None else f"{entry.key}:")
    comment = _behind(entry.trailing)
    if entry.key is not None and entry.question is not None:
        first, *more = entry.key.split("\n")
        asked = _behind(entry.question)
        note = "" if more else asked
        before += [f"{margin}? {first}{note}", *(f"{margin}  {line}" for line in more)]
        head = f"{margin}:"
    value = entry.value
    if isinstance(value, Block):
        digits = [int(each) for each in value.header if each.isdigit()]
        inner = " " * (column + (digits[0] if digits else 2))
        lines = [inner + line if line else "" for line in value.lines]
        return [*before, f"{head} {value.header}{comment}", *lines]
    if isinstance(value, Scalar):
        first, *more = value.source.split("\n")
        lines = [f"{head} {first}".rstrip(), *(f"{margin}  {line}" for line in more)]
        lines[-1] += _behind(entry.trailing, lines[-1])
        return [*before, *lines]
    if is_flow(value):
        first, *more = flow_lines(value, column)
        lines = [f"{head} {first}", *more]
        lines[-1] += _behind(entry.trailing, lines[-1])
        return [*before, *lines]
    inner_column = column + value.indent
    inside = written(value, inner_column)
    first_entry = value.entries[0]
    bare = not first_entry.lead and not first_entry.gap and first_entry.value is not None
    if entry.key is None and bare and not value.properties and not comment:
        inside[0] = f"{head}{' ' * (value.indent - 1)}{inside[0].lstrip(' ')}"
        return [*before, *inside]
    properties = f" {value.properties}" if value.properties else ""
    return [*before, f"{head}{properties}{comment}", *inside]


def _behind(comment: str, line: str = "") -> str:
    """A comment as it stands behind a line; a tab of its own stays, where a value is before it."""
    own = comment.startswith("\t") and line != "" and line[-1] not in ":-"
    return comment if own or not comment else f"  {comment.lstrip(chr(9))}"


def is_flow(items: Items) -> bool:
    """Whether a collection is written in flow style; a block needs an entry."""
    return items.flow or not any(entry.value is not None for entry in items.entries)


def flow_lines(items: Items, column: int) -> list[str]:
    """A flow collection: one line, or one an entry, with comments, where it is spread out."""
    if not items.spread or not items.entries:
        return [in_flow(items)]
    opening, closing = ("{", "}") if items.mapping else ("[", "]")
    margin = " " * (column + 2)
    lines = [f"{items.properties} {opening}".lstrip()]
    filled = [entry.uid for entry in items.entries if entry.value is not None]
    for entry in items.entries:
        lines += [""] * entry.gap + [margin + line for line in entry.lead]
        if entry.value is not None:
            comma = "," if entry.uid != filled[-1] else ""
            item = f"{margin}{_flow_item(entry)}{comma}"
            lines.append(item + _behind(entry.trailing, item))
    return [*lines, f"{' ' * column}{closing}"]


def _flow_item(entry: Entry) -> str:
    assert entry.value is not None
    inner = in_flow(entry.value)
    if entry.key is None:
        return inner
    key = entry.key
    if "\n" in key:
        key = f"[{', '.join(line.removeprefix('- ') for line in key.splitlines())}]"
    return f"{key}: {inner}".rstrip()


def in_flow(value: Value) -> str:
    """A value on one line; comments have no room there."""
    if isinstance(value, Scalar):
        source = value.source.replace("\n", " ")
        # libyaml takes no colon inside a plain scalar there.
        return f'"{source}"' if ":" in source and source[0] not in "\"'!&" else source
    if isinstance(value, Block):
        return '"' + " ".join(value.lines).replace("\\", "").replace('"', "") + '"'
    parts = [_flow_item(entry) for entry in value.entries if entry.value is not None]
    opening, closing = ("{", "}") if value.mapping else ("[", "]")
    properties = f"{value.properties} " if value.properties else ""
    # Nor a colon right before the bracket.
    room = " " if parts and parts[-1].endswith(":") else ""
    return properties + opening + ", ".join(parts) + room + closing


def walk(items: Items, *, flow: bool = False) -> Iterator[tuple[Items, Entry, bool]]:
    """Every entry with its collection, parents first, and whether it stands inside a flow."""
    inside = flow or items.flow
    for entry in items.entries:
        yield items, entry, inside
        if isinstance(entry.value, Items):
            yield from walk(entry.value, flow=inside)


def entries(document: Document) -> list[tuple[Items, Entry, bool]]:
    """Every entry of a document, as `walk`."""
    return [found for page in document.pages for found in walk(page.root)]


def at_entry(
    document: Document, uid: int, change: Callable[[Entry], tuple[Entry, ...]]
) -> Document:
    """The document with one entry replaced by any number of them."""

    def inside(items: Items) -> Items:
        found: list[Entry] = []
        for entry in items.entries:
            if entry.uid == uid:
                found += change(entry)
            elif isinstance(entry.value, Items):
                found.append(replace(entry, value=inside(entry.value)))
            else:
                found.append(entry)
        return replace(items, entries=tuple(found))

    return replace(
        document, pages=tuple(replace(page, root=inside(page.root)) for page in document.pages)
    )


def at_items(document: Document, uid: int | None, change: Callable[[Items], Items]) -> Document:
    """The document with the collection of an entry changed; None stands for the first root."""
    if uid is None:
        first, *rest = document.pages
        return replace(document, pages=(replace(first, root=change(first.root)), *rest))

    def inside(entry: Entry) -> tuple[Entry, ...]:
        if not isinstance(entry.value, Items):
            return (entry,)
        return (replace(entry, value=change(entry.value)),)

    return at_entry(document, uid, inside)


def below(entry: Entry) -> set[int]:
    """The uids of an entry and of all in it."""
    found = {entry.uid}
    if isinstance(entry.value, Items):
        found |= {inner.uid for _, inner, _ in walk(entry.value)}
    return found
