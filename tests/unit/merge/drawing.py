"""Documents drawn by choices: `pick(n)` gives a number below n, and 0 is the plainest choice.

Hypothesis makes the choices in the properties, `random.Random` in the check of broken engines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from tests.unit.merge.documents import NOTE, Block, Document, Entry, Items, Page, Scalar, Value

Pick = Callable[[int], int]
Choice = TypeVar("Choice")

COMMON = ("true", "false", "null", "0", "1", "", "~", "yes", '""', "1.0", "0o17", "12:30:45")
NAMED = (
    "{word}",
    "{number}",
    '"{word}"',
    "'it''s {word}'",
    "{word} and more",
    '"{word}: a # b"',
    "{word}#x",
    "http://example.org/{word}?a=b",
    "größe-{word} ☃",
    "2026-01-{day:02}",
    "1.{number}.0",
    '"{word} \\n \\t \\"q\\""',
    "{word} is long\nand goes on here\nto its end",
    '"{word} begins\nand is\n\n  folded"',
    "!custom {word}",
)
HEADERS = ("|", ">", "|-", ">-", "|+", ">+", "|2", ">2-", "|4+")
KEYS = ("k{n}", "k{n}", "key {n}", '"q{n}"', "'s {n}'", "a/{n}~x", "größe{n}", "{n}", "k{n}.x")
IDENTITIES = ("id", "name", "key", "task_id")
SHAPES = ("scalar", "mapping", "keyed", "set", "ordered", "lists", "block", "flow")


class Drawing:
    """One document, or what an edit adds to it, under way; numbers are given out once."""

    def __init__(self, pick: Pick, first: int = 1) -> None:
        self.pick = pick
        self.next = first

    def number(self) -> int:
        """A number that nothing else in the document has."""
        self.next += 1
        return self.next

    def one_of(self, choices: Sequence[Choice]) -> Choice:
        """One of them, the first one as the plainest."""
        return choices[self.pick(len(choices))]

    def chance(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.pick(one_in) == one_in - 1

    def comment(self) -> str:
        """A comment that no other one equals."""
        tail = self.one_of(("", " says: why", "\t[x] 'q\" & *", " ☃"))
        return f"# {NOTE}{self.number()}{tail}"

    def scalar(self, *, flow: bool = False) -> Scalar:
        """A scalar in any style but block style."""
        if self.chance(4):
            return Scalar(self.one_of(COMMON[:4] if flow else COMMON))
        n = self.number()
        form = self.one_of(NAMED[:4] if flow else NAMED)
        return Scalar(form.format(word=f"v{n}", number=n, day=n % 28 + 1))

    def block(self) -> Block:
        """A literal or folded scalar of a few lines."""
        header = self.one_of(HEADERS)
        lines = [self.line() for _ in range(1 + self.pick(5))]
        if header[-1] == "+" and self.chance(2):
            lines.append("")
        if not any(each.isdigit() for each in header):
            lines[0] = lines[0].lstrip()
        return Block(header, tuple(lines))

    def line(self) -> str:
        """A line of a block scalar."""
        n = self.number()
        forms = ("run v{n}", "# no comment v{n}", "  deeper v{n}", "- v{n}: x", "\tv{n}", "v{n}  ")
        return self.one_of(forms).format(n=n)

    def value(self, depth: int) -> Value:
        """A value of any shape, down to `depth` levels of collections."""
        shape = self.one_of(SHAPES if depth > 0 else ("scalar", "block"))
        if shape == "scalar":
            return self.scalar()
        if shape == "block":
            return self.block()
        if shape == "flow":
            return self.flow()
        if shape == "mapping":
            return self.mapping(depth - 1)
        return self.sequence(shape, depth - 1)

    def flow(self) -> Items:
        """A flow collection, now and then one inside another."""
        mapping = self.chance(2)
        inner = []
        for _ in range(self.pick(4)):
            value: Value = self.flow() if self.chance(6) else self.scalar(flow=True)
            inner.append(Entry(self.number(), f"k{self.next}" if mapping else None, value))
        return Items(mapping, tuple(inner), flow=True)

    def mapping(self, depth: int) -> Items:
        """A block mapping."""
        inner = tuple(
            each for _ in range(1 + self.pick(4)) for each in self.entry(self.key(), depth)
        )
        return self._settled(Items(True, inner, indent=self.one_of((2, 2, 4, 3))))

    def sequence(self, shape: str, depth: int) -> Items:
        """A block sequence: a keyed list, a set of scalars, an ordered list, or lists in it."""
        count = 1 + self.pick(4)
        indent = self.one_of((2, 0, 4, 3))
        if shape == "keyed":
            identity = self.one_of(IDENTITIES)
            found = [each for _ in range(count) for each in self.keyed(identity, depth)]
            return self._settled(Items(False, tuple(found), indent=indent, identity=identity))
        if shape == "set":
            found = [
                Entry(n := self.number(), None, Scalar(f"s{n}"), trailing=self._maybe_comment())
                for _ in range(count)
            ]
            return self._settled(Items(False, tuple(found), indent=indent, identity="="))
        found = []
        for _ in range(count):
            if shape == "lists":
                value: Value = self.sequence("set", 0)
                value = replace(value, indent=2) if isinstance(value, Items) else value
                found.append(Entry(self.number(), None, value))
            else:
                found += self.entry(None, depth)
        return self._settled(Items(False, tuple(found), indent=indent))

    def keyed(self, identity: str, depth: int) -> list[Entry]:
        """An element of a keyed list, now and then behind a comment that stands alone."""
        n = self.number()
        inner = [Entry(self.number(), identity, Scalar(f"e{n}"))]
        for _ in range(1 + self.pick(3)):
            inner += self.entry(self.key(), depth)
        value = Items(True, tuple(inner), indent=self.one_of((2, 2, 4)))
        return self._dressed(Entry(n, None, value), comment_room=False)

    def entry(self, key: str | None, depth: int) -> list[Entry]:
        """An entry, now and then behind a comment that stands alone."""
        value = self.value(depth)
        if key is None and isinstance(value, Items) and not value.flow and value.indent < 2:
            value = replace(value, indent=2)
        return self._dressed(Entry(self.number(), key, value))

    def key(self) -> str:
        """A key that no other one equals."""
        return self.one_of(KEYS).format(n=self.number())

    def document(self) -> Document:
        """A whole text."""
        pages = [self._page(first=True)]
        if self.chance(12):
            pages.append(self._page(first=False))
        drawn = Document(tuple(pages))
        if self.chance(10):
            drawn = replace(drawn, newline="\r\n")
        if self.chance(8):
            drawn = replace(drawn, final_newline=False)
        if self.chance(16):
            drawn = replace(drawn, mark="\ufeff")
        return drawn

    def _page(self, *, first: bool) -> Page:
        head: list[str] = []
        if self.chance(4):
            head.append(self.comment())
            if self.chance(2):
                head.append("")
        if not first or self.chance(6):
            head.append("---")
        root = self.sequence("keyed", 1) if self.chance(6) else self.mapping(1 + self.pick(2))
        root = replace(root, indent=2)
        if self.chance(8):
            root = self._with_anchor(root)
        foot = (self.comment(),) if self.chance(6) else ()
        return Page(root, tuple(head), foot)

    def _with_anchor(self, root: Items) -> Items:
        """With a value that is named, and another place that refers to it."""
        n = self.number()
        merging = self.chance(2)
        inner = (Entry(self.number(), f"in{n}", Scalar(f"v{n}")),)
        named: Value = Items(True, inner, properties=f"&a{n}") if merging else Scalar(f"&a{n} v{n}")
        using = Items(True, (Entry(self.number(), "<<", Scalar(f"*a{n}")),)) if merging else None
        if not root.mapping:
            return root
        first = Entry(self.number(), f"anchor{n}", named)
        last = Entry(self.number(), f"alias{n}", using or Scalar(f"*a{n}"))
        return replace(root, entries=(first, *root.entries, last))

    def _maybe_comment(self) -> str:
        return self.comment() if self.chance(8) else ""

    def _dressed(self, entry: Entry, *, comment_room: bool = True) -> list[Entry]:
        before = []
        if self.chance(14):
            before.append(Entry(self.number(), None, None, lead=(self.comment(),), gap=1))
        if self.chance(6):
            lead = tuple(self.comment() for _ in range(1 + self.pick(2)))
            entry = replace(entry, lead=lead)
        if comment_room:
            entry = replace(entry, trailing=self._maybe_comment())
        if self.chance(8):
            entry = replace(entry, gap=1 + self.pick(2))
        return [*before, entry]

    def _settled(self, items: Items) -> Items:
        """With a comment behind its last entry, now and then."""
        if self.chance(16):
            alone = Entry(self.number(), None, None, lead=(self.comment(),))
            return replace(items, entries=(*items.entries, alone))
        return items
