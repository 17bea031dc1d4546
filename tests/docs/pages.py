"""The documentation as tests see it: pages, their links, and their console blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.checkout import ROOT

DOCS = ROOT / "docs"

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\s+# exit (\d+)$")


@dataclass(slots=True)
class Example:
    """One command of a console block, the exit code it must have, and the output shown with it."""

    command: str
    exit_code: int
    shown: list[str] = field(default_factory=list)

    def shows(self, output: str) -> bool:
        """Whether the shown lines are the output, whatever the width of its columns.

        `...` stands for anything, over lines too.
        """
        if not self.shown:
            return True
        parts = _one_spaced("\n".join(self.shown)).split("...")
        pattern = ".*".join(re.escape(part) for part in parts)
        return re.fullmatch(pattern, _one_spaced(output), re.DOTALL) is not None


def _one_spaced(text: str) -> str:
    return re.sub(r"[ \n]*\n[ \n]*|  +", lambda gap: "\n" if "\n" in gap[0] else " ", text).strip()


def pages() -> list[Path]:
    """Every page that people read."""
    places = (DOCS, ROOT / "docker", ROOT / "tests")
    return sorted([*ROOT.glob("*.md"), *(page for place in places for page in place.rglob("*.md"))])


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links; code blocks have none."""
    yield from _LINK.findall(_FENCED.sub("", page.read_text()))


def examples(page: Path) -> list[Example]:
    """The commands of a page's console blocks, in order; a line ending in a backslash goes on."""
    return _examples(_CONSOLE.findall(page.read_text()))


def first_block(page: Path) -> list[Example]:
    """The commands of the first console block."""
    return _examples(_CONSOLE.findall(page.read_text())[:1])


def _examples(blocks: list[str]) -> list[Example]:
    found: list[Example] = []
    for block in blocks:
        lines = iter(block.splitlines())
        for line in lines:
            if not line.startswith("$ "):
                found[-1].shown.append(line)
                continue
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).strip()
            ends = _EXIT.search(command)
            found.append(Example(_EXIT.sub("", command), int(ends[1]) if ends else 0))
    return found
