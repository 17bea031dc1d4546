"""Documents drawn by choices: `pick(n)` gives a number below n, and 0 is the plainest choice.

Hypothesis makes the choices in the properties, `random.Random` in the check of broken engines.
"""

from __future__ import annotations

from dataclasses import replace

from tests.unit.merge.documents import MIXED, Document, Entry, Items, Page, Scalar, Value
from tests.unit.merge.leaves import IDENTITIES, TAGS, Leaves

SHAPES = ("scalar", "mapping", "keyed", "set", "ordered", "lists", "block", "flow")


class Drawing(Leaves):
    """One document, or what an edit adds to it, under way."""

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
        found = Items(mapping, tuple(inner), flow=True)
        return self._spread(found) if self.chance(4) else found

    def _spread(self, items: Items) -> Items:
        """A line for each entry, with comments, and now and then one behind the last."""
        found = [each for entry in items.entries for each in self._dressed(entry)]
        if self.chance(6):
            found.append(Entry(self.number(), None, None, lead=(self.comment(),)))
        return replace(items, entries=tuple(found), spread=True)

    def mapping(self, depth: int) -> Items:
        """A block mapping."""
        inner = tuple(
            each for _ in range(1 + self.pick(4)) for each in self.entry(self.key(), depth)
        )
        items = Items(True, inner, indent=self.one_of((2, 2, 4, 3)))
        return self._settled(replace(items, properties=self._properties()))

    def _properties(self) -> str:
        """Now and then a tag of a mapping."""
        return self.one_of(TAGS) if self.chance(12) else ""

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
                Entry(n := self.number(), None, Scalar(f"s{n}"), trailing=self.maybe_trailing())
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
        if key is not None and self.chance(20):
            key, question = self.question()
            return self._dressed(Entry(self.number(), key, value, question=question))
        return self._dressed(Entry(self.number(), key, value))

    def document(self) -> Document:
        """A whole text."""
        pages = [self._page(first=True)]
        if self.chance(12):
            ended = self.chance(3)
            if ended:
                pages[0] = replace(pages[0], foot=(*pages[0].foot, "..."))
            pages.append(self._page(first=False, ended=ended))
        if self.chance(16):
            ending = ("...", self.comment()) if self.chance(2) else ("...",)
            pages[-1] = replace(pages[-1], foot=(*pages[-1].foot, *ending))
        drawn = Document(tuple(pages))
        if self.chance(8):
            drawn = replace(drawn, newline=self.one_of(("\r\n", MIXED)))
        if self.chance(8):
            drawn = replace(drawn, final_newline=False)
        if self.chance(16):
            drawn = replace(drawn, mark="\ufeff")
        return drawn

    def _page(self, *, first: bool, ended: bool = True) -> Page:
        head: list[str] = []
        if self.chance(4):
            head.append(self.comment())
            if self.chance(2):
                head.append("")
        directive = ended and self.chance(12)
        if directive:
            head.append(self.one_of(("%TAG !e! tag:example.org,2026:", "%YAML 1.2")))
        if not first or directive or self.chance(6):
            head.append(f"---  {self.comment()}" if self.chance(6) else "---")
        root = self.root()
        if self.chance(8):
            root = self._with_anchor(root)
        if directive and root.mapping and "%TAG" in head[-2]:
            tagged = Entry(self.number(), self.key(), Scalar(f"!e!t v{self.number()}"))
            root = replace(root, entries=(*root.entries, tagged))
        foot = (self.comment(),) if self.chance(6) else ()
        return Page(root, tuple(head), foot)

    def root(self) -> Items:
        """The content of a document: a mapping, else a keyed list or a flow collection."""
        shape = self.pick(24)
        if shape == 23:
            return self.flow()
        if shape > 18:
            return replace(self.sequence("keyed", 1), indent=2)
        return replace(self.mapping(1 + self.pick(2)), indent=2, properties="")

    def _with_anchor(self, root: Items) -> Items:
        """With a value that is named, and other places that refer to it."""
        if not root.mapping:
            return root
        n = self.number()
        merging = self.chance(2)
        inner = (Entry(self.number(), f"in{n}", Scalar(f"v{n}")),)
        named: Value = Items(True, inner, properties=f"&a{n}") if merging else Scalar(f"&a{n} v{n}")
        using: Value = Scalar(f"*a{n}")
        if merging:
            listed = Items(False, (Entry(self.number(), None, using),), flow=True)
            using = Items(True, (Entry(self.number(), "<<", self.one_of((using, listed))),))
        first = Entry(self.number(), f"anchor{n}", named)
        last = [Entry(self.number(), f"alias{n}", using)]
        if self.chance(3):
            last.append(Entry(self.number(), f"alias{n}x", Scalar(f"*a{n}")))
        if not merging and self.chance(4):
            last.append(Entry(self.number(), f"*a{n} ", self.scalar()))
        if self.chance(4):
            again = Entry(self.number(), f"anchor{n}x", Scalar(f"&a{n} v{self.number()}"))
            last += [again, Entry(self.number(), f"alias{n}y", Scalar(f"*a{n}"))]
        return replace(root, entries=(first, *root.entries, *last))

    def _dressed(self, entry: Entry, *, comment_room: bool = True) -> list[Entry]:
        before = []
        if self.chance(14):
            before.append(Entry(self.number(), None, None, lead=(self.comment(),), gap=1))
        if self.chance(6):
            entry = replace(entry, lead=self.lead())
        if comment_room:
            entry = replace(entry, trailing=self.maybe_trailing())
        if self.chance(8):
            entry = replace(entry, gap=1 + self.pick(2))
        return [*before, entry]

    def _settled(self, items: Items) -> Items:
        """With a comment behind its last entry, now and then."""
        if self.chance(16):
            alone = Entry(self.number(), None, None, lead=(self.comment(),))
            return replace(items, entries=(*items.entries, alone))
        return items
