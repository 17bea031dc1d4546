"""A model of YAML text: what people write, with its layout, so that edits leave the rest as it is.

A document is drawn, edited as a tree, and written out. Writing is a pure function of the tree:
what an edit did not touch is written byte for byte as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

NOTE = "note-"
"""Every generated comment holds this and a number, and no scalar does."""


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
    """

    mapping: bool
    entries: tuple[Entry, ...]
    flow: bool = False
    indent: int = 2
    properties: str = ""
    identity: str = ""


Value = Scalar | Block | Items


@dataclass(frozen=True)
class Entry:
    """An entry of a collection; without a value it is a comment that stands alone.

    `uid` is the same in every version of a document. `gap` counts the blank lines before it.
    """

    uid: int
    key: str | None
    value: Value | None
    lead: tuple[str, ...] = ()
    trailing: str = ""
    gap: int = 0


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
        text = self.newline.join(lines)
        return self.mark + text + (self.newline if self.final_newline else "")


def written(items: Items, column: int) -> list[str]:
    """The lines of a collection whose entries stand at `column`."""
    if items.flow or not any(entry.value is not None for entry in items.entries):
        return [" " * column + in_flow(items)]
    return [line for entry in items.entries for line in lines_of(entry, column)]


def lines_of(entry: Entry, column: int) -> list[str]:
    """The lines of an entry at `column`, with its comments and the blank lines before it."""
    margin = " " * column
    before = [""] * entry.gap + [margin + line for line in entry.lead]
    if entry.value is None:
        return [*before, ""]
    head = margin + ("-" if entry.key is None else f"{entry.key}:")
    comment = f"  {entry.trailing}" if entry.trailing else ""
    value = entry.value
    if isinstance(value, Block):
        digits = [int(each) for each in value.header if each.isdigit()]
        inner = " " * (column + (digits[0] if digits else 2))
        lines = [inner + line if line else "" for line in value.lines]
        return [*before, f"{head} {value.header}{comment}", *lines]
    if isinstance(value, Scalar):
        first, *more = value.source.split("\n")
        lines = [f"{head} {first}".rstrip(), *(f"{margin}  {line}" for line in more)]
        lines[-1] += comment
        return [*before, *lines]
    if value.flow or not any(each.value is not None for each in value.entries):
        return [*before, f"{head} {in_flow(value)}{comment}"]
    inner_column = column + value.indent
    inside = written(value, inner_column)
    first_entry = value.entries[0]
    bare = not first_entry.lead and not first_entry.gap and first_entry.value is not None
    if entry.key is None and bare and not value.properties and not comment:
        inside[0] = f"{head}{' ' * (value.indent - 1)}{inside[0].lstrip(' ')}"
        return [*before, *inside]
    properties = f" {value.properties}" if value.properties else ""
    return [*before, f"{head}{properties}{comment}", *inside]


def in_flow(value: Value) -> str:
    """A value on one line; comments have no room there."""
    if isinstance(value, Scalar):
        return value.source.replace("\n", " ")
    if isinstance(value, Block):
        return '"' + " ".join(value.lines).replace("\\", "").replace('"', "") + '"'
    parts = []
    for entry in value.entries:
        if entry.value is not None:
            inner = in_flow(entry.value)
            parts.append(inner if entry.key is None else f"{entry.key}: {inner}".rstrip())
    opening, closing = ("{", "}") if value.mapping else ("[", "]")
    properties = f"{value.properties} " if value.properties else ""
    return properties + opening + ", ".join(parts) + closing


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
