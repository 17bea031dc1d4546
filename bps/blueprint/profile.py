"""The strict *blueprint* profile: what intake accepts, as `docs/blueprint-profile.md` explains."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial

from bps.blueprint.characters import decode
from bps.blueprint.rules import Rule, refuse
from bps.blueprint.syntax import judge
from bps.blueprint.walk import Walk

_ROOT_MEMBERS = frozenset({"title", "name"})


@dataclass(frozen=True, slots=True)
class BlueprintFacts:
    """What intake learns about an accepted blueprint.

    Attributes:
        sha256: hex digest of the exact bytes.
        size_bytes: their number.
        title: the root's `title`, else its `name`, if that is text.
        task_count: entries of the root's `tasks` if that is a sequence.
    """

    sha256: str
    size_bytes: int
    title: str | None
    task_count: int | None


def check(text: bytes, *, max_bytes: int = 1_048_576) -> BlueprintFacts:
    """Judge a submitted blueprint by the strict profile; pure, no I/O, no tree is built.

    Args:
        text: the bytes as submitted; they are never changed.
        max_bytes: the cap on their number.

    Returns:
        Facts about the accepted blueprint.

    Raises:
        InvalidBlueprint: for the first violation: size, then characters, then structure, each
            stage in document order. facts: rule, line, column (from 1, in characters), hint.

    Cost: no store access; 1-2 ms for 10 KB, under 0.5 s for 1 MiB.
    Source: design, "Merge", profile *blueprint*; YAML 1.2.2 and 1.1; RFC 7493 for the characters.
    """
    if len(text) > max_bytes:
        what = f"the blueprint has {len(text):,} bytes and may have {max_bytes:,}"
        hint = "split the blueprint"
        refuse(Rule.TOO_LARGE, 1, 1, what, hint, size_bytes=len(text), max_bytes=max_bytes)
    walk = judge(decode(text), partial(Walk, wanted=_ROOT_MEMBERS))
    return BlueprintFacts(
        sha256=hashlib.sha256(text).hexdigest(),
        size_bytes=len(text),
        title=walk.root.get("title", walk.root.get("name")),
        task_count=walk.task_count,
    )
