"""The blueprints of the traffic: each author has one line, so that any merge of them is known.

Nothing of the merge engine is used: what several edits of one base must become is said here anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Texts by their authors; two are equal where their bytes are."""

    digest: str
    lines: Mapping[str, str] = field(compare=False)

    @classmethod
    def of(cls, lines: Mapping[str, str]) -> Self:
        """Made of `lines`."""
        return cls(sha256(_content(lines)).hexdigest(), dict(lines))

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read from bytes. Raises ValueError: they are no blueprint of the traffic."""
        pairs = (line.partition(": ") for line in content.decode().splitlines())
        found = cls.of({author: text for author, _, text in pairs})
        if found.content != content:
            msg = f"no blueprint of the traffic: {content[:200]!r}"
            raise ValueError(msg)
        return found

    @property
    def content(self) -> bytes:
        """The bytes that `digest` names."""
        return _content(self.lines)

    def edited(self, author: str, text: str) -> Blueprint:
        """With another line of one author."""
        return Blueprint.of({**self.lines, author: text})

    def merged(self, edits: Iterable[tuple[Blueprint, Blueprint]]) -> Blueprint:
        """With all that `edits` (base and edited) changed; no two may change one line."""
        changed = {
            author: text
            for base, edited in edits
            for author, text in edited.lines.items()
            if base.lines.get(author) != text
        }
        return Blueprint.of({**self.lines, **changed})


def _content(lines: Mapping[str, str]) -> bytes:
    return "".join(f"{author}: {text}\n" for author, text in lines.items()).encode()
