"""Scalars, block scalars, keys and comments drawn by choices, each with a number of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.unit.merge.documents import NOTE, Block, Scalar

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
    "{word} is long\n\nwith a blank line\nand, to the end of its many words, with no comment#here",
    "'{word} is\n# no comment\n- no item\nk: no key'",
    '"{word} is \\\n  \\  escaped \\\n"',
    "!!str {number}",
    "!<tag:example.org,2026:t> {word}",
    "-{word}:{number}?",
)
TAGS = ("!!map", "!own", "!<tag:example.org,2026:m>")
QUESTIONS = ("k{n}", '"q{n}"', "[k{n}, x{n}]", "{{k{n}: 1}}", "- k{n}\n- x{n}", '"k{n}\nfolded"')
HEADERS = ("|", ">", "|-", ">-", "|+", ">+", "|2", ">2-", "|4+")
KEYS = ("k{n}", "k{n}", "key {n}", '"q{n}"', "'s {n}'", "a/{n}~x", "größe{n}", "{n}", "k{n}.x")
IDENTITIES = ("id", "name", "key", "task_id")


class Leaves:
    """What a document is made of, under way; numbers are given out once."""

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
        forms = (
            "run v{n}",
            "# no comment v{n}",
            "  deeper v{n}",
            "- v{n}: x",
            "\tv{n}",
            "v{n}  ",
            "--- v{n}",
            "? v{n}",
        )
        return self.one_of(forms).format(n=n)

    def key(self) -> str:
        """A key that no other one equals."""
        return self.one_of(KEYS).format(n=self.number())

    def question(self) -> tuple[str, str | None]:
        """A key to be written behind `?`, now and then a collection, and the comment there."""
        n = self.number()
        form = self.one_of(QUESTIONS)
        return form.format(n=n), self.comment() if self.chance(3) else ""

    def trailing(self) -> str:
        """A comment for the end of a line; one may begin with a tab of its own."""
        return ("\t" if self.chance(6) else "") + self.comment()

    def maybe_trailing(self) -> str:
        """Now and then a comment for the end of a line."""
        return self.trailing() if self.chance(8) else ""

    def lead(self, most: int = 2) -> tuple[str, ...]:
        """Comment lines before an entry, now and then deeper than it."""
        deep = "  " if self.chance(8) else ""
        return tuple(deep + self.comment() for _ in range(1 + self.pick(most)))
