"""What the service must do, said again as simply as possible: one plan, its branches, the policy.

Contents stand for digests: two blueprints are equal where their numbers are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Status = Literal[
    "OPEN",
    "SUCCEEDED",
    "PROMOTED",
    "OBSOLETE_MERGED",
    "OBSOLETE_FAILED",
    "OBSOLETE_SUPERSEDED",
]

LIVE = frozenset({"OPEN", "SUCCEEDED"})


@dataclass(frozen=True, slots=True)
class Expected:
    """A status, and the codes that a refusal may have."""

    status: int
    codes: frozenset[str] = frozenset()


def refused(status: int, *codes: str) -> Expected:
    """A refusal with one of these codes."""
    return Expected(status, frozenset(codes))


NOTHING_THERE = refused(404, "NOT_FOUND")
STALE = refused(412, "PRECONDITION_FAILED")
NOT_NOW = refused(409, "WRONG_STATE", "CLOCK_NULLIFIED")


@dataclass(slots=True)
class BranchModel:
    """The newest RR-plan of a root cause."""

    n: int
    base: int
    status: Status = "OPEN"
    content: int | None = None

    @property
    def live(self) -> bool:
        """Whether work on it goes on."""
        return self.status in LIVE


@dataclass(slots=True)
class PlanModel:
    """`versions[0]` is the content of version 1; empty until the plan is registered."""

    versions: list[int] = field(default_factory=list)
    branches: dict[int, BranchModel] = field(default_factory=dict)
    max_branches: int = 255

    @property
    def canonical(self) -> int:
        """The content in force."""
        return self.versions[-1]

    def ready(self) -> list[int]:
        """The causes whose RR-plans have succeeded and wait for promotion."""
        return [cause for cause, each in self.branches.items() if each.status == "SUCCEEDED"]

    def current(self, cause: int) -> bool:
        """Whether the newest RR-plan of `cause` was forked from the canonical content."""
        return self.branches[cause].base == self.canonical

    def register(self, content: int) -> Expected:
        """A plan is registered once, with one content."""
        if self.versions:
            same = content == self.versions[0]
            return Expected(200) if same else refused(409, "EXISTS")
        self.versions.append(content)
        return Expected(201)

    def open(self, cause: int) -> Expected:
        """A root cause has one branch, and at most one live RR-plan."""
        if not self.versions:
            return NOTHING_THERE
        known = self.branches.get(cause)
        if known is not None and known.live:
            return Expected(200)
        if known is None and len(self.branches) >= self.max_branches:
            return refused(409, "LIMIT_EXCEEDED")
        self._open(cause, 1 if known is None else known.n + 1)
        return Expected(201)

    def submit(self, cause: int, content: int) -> Expected:
        """An open RR-plan takes one submission; the same again is no change."""
        if (branch := self.branches.get(cause)) is None:
            return NOTHING_THERE
        if branch.status == "SUCCEEDED" and branch.content == content:
            return Expected(200)
        if branch.status != "OPEN":
            return NOT_NOW
        branch.status, branch.content = "SUCCEEDED", content
        return Expected(200)

    def fail(self, cause: int) -> Expected:
        """A live RR-plan can be given up."""
        if (branch := self.branches.get(cause)) is None:
            return NOTHING_THERE
        if not branch.live:
            return NOT_NOW
        branch.status = "OBSOLETE_FAILED"
        return Expected(200)

    def rebase(self, cause: int) -> Expected:
        """A live RR-plan on an older content is superseded by one on canonical."""
        if (branch := self.branches.get(cause)) is None:
            return NOTHING_THERE
        if not branch.live:
            return NOT_NOW
        if branch.base == self.canonical:
            return Expected(200)
        self._open(cause, branch.n + 1)
        return Expected(201)

    def promote(self, causes: Iterable[int], *, seen: bool) -> Expected:
        """What succeeded becomes canonical where it is one change of the one place there is."""
        if not self.versions:
            return NOTHING_THERE
        if not seen:
            return STALE
        named = sorted(set(causes))
        if any(cause not in self.branches for cause in named):
            return NOTHING_THERE
        chosen = [self.branches[cause] for cause in named or self.ready()]
        if not chosen or any(each.status != "SUCCEEDED" for each in chosen):
            return NOT_NOW
        edits = [each for each in chosen if each.content != each.base]
        contents = {each.content for each in edits}
        if any(each.base != self.canonical for each in edits):
            # Canonical's own change of the same place is one editor's more.
            contents.add(self.canonical)
        if len(contents) > 1:
            idle = [each for each in chosen if each.content == each.base]
            if named or not idle:
                return refused(409, "MERGE_CONFLICT")
            return self._publish(idle, None)
        content = contents.pop() if contents else self.canonical
        return self._publish(chosen, None if content == self.canonical else content)

    def revert(self, to: int, *, seen: bool) -> Expected:
        """An older content becomes canonical again, as a new version."""
        if not self.versions:
            return NOTHING_THERE
        if not seen:
            return STALE
        if to > len(self.versions):
            return NOTHING_THERE
        if self.versions[to - 1] == self.canonical:
            return Expected(200)
        self.versions.append(self.versions[to - 1])
        return Expected(201)

    def _open(self, cause: int, n: int) -> None:
        self.branches[cause] = BranchModel(n, self.canonical)

    def _publish(self, chosen: list[BranchModel], content: int | None) -> Expected:
        for each in chosen:
            promoted = content is not None and each.content == content
            each.status = "PROMOTED" if promoted else "OBSOLETE_MERGED"
        if content is None:
            return Expected(200)
        self.versions.append(content)
        return Expected(201)
