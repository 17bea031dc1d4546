"""Resolving conflicts of a review, place by place; each answer says what is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bps.core.errors import Ambiguous, InvalidInput, NotFound
from bps.core.ids import ReviewId
from bps.core.ports import Read
from bps.merge.records import CANONICAL, Conflict
from bps.plans.book import PlanBook
from bps.plans.evolve_review import with_resolutions
from bps.plans.limits import limit_exceeded
from bps.plans.register import plan_reads
from bps.plans.review_events import ReviewResolved
from bps.plans.reviews import MAX_RESOLUTION_BYTES, ReviewResolution
from bps.review.acts import need_open, result_of, to_decide, would_be
from bps.review.results import ReviewResult
from bps.review.typed import refuse_outside_profile, refuse_unfit
from bps.review.unmet import fate_of, findings_of
from bps.review.upkeep import open_review_of
from bps.writepath.command import Commit, Decision, OperationId, operation
from bps.writepath.precondition import IfMatch, operation_fields
from bps.writepath.view import View

BASE = "base"
"""What `take` calls the version that was forked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is decided of the place `path`, or of the conflict `conflict` where that is given.

    Exactly one of `take` (`base`, `canonical`, an RR-plan or its branch) and `text` (YAML).
    """

    path: str | None
    conflict: str | None
    take: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class ResolveReview:
    """Command: decide conflicts of an open review.

    The review is computed anew, so that what moved below it is seen: a decision on a conflict that
    is still the same holds. Cost: that of two merges where they were not done lately, and one
    transaction with 6 puts, or 8 where something had moved.
    """

    principal: str
    op_id: str
    review: ReviewId
    choices: tuple[Choice, ...]
    if_match: IfMatch | None = None

    result_type = ReviewResult

    @property
    def plan(self) -> str:
        """The review's."""
        return self.review.plan

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "review": str(self.review),
            "choices": [[c.path, c.conflict, c.take, c.text] for c in self.choices],
            **operation_fields(self.if_match),
        }
        return operation(self.principal, self.op_id, "resolve_review", fields)

    def reads(self) -> Sequence[Read]:
        """The plan and its newest review."""
        return plan_reads(self.plan)

    def decide(self, view: View, now_ms: int) -> Decision[ReviewResult]:
        """Commit, or Reject.

        Raises:
            NotFound: there is no such review, or no conflict at that place.
            Ambiguous: several conflicts are at that place; name one by its id.
            InvalidInput: a side that the conflict does not have, or text that cannot stand there.
            LimitExceeded: the resolutions of one review would pass 64 KiB.
            WrongState, PreconditionFailed, ReviewHeld: as `need_open`.
        """
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        review = need_open(book, self.review, self.if_match, self.principal)
        _, bare = would_be(book, review, ())
        waiting, now = would_be(book, review, review.resolutions)
        conflicts = to_decide(bare, now)
        new = [self._resolution(book, conflicts, choice) for choice in self.choices]
        still = fate_of(review.resolutions, now).kept
        every = with_resolutions(still, new)
        size_bytes = sum(each.size_bytes for each in every)
        if size_bytes > MAX_RESOLUTION_BYTES:
            raise limit_exceeded("review_resolution_bytes", size_bytes, MAX_RESOLUTION_BYTES)
        _, after = would_be(book, review, every)
        _, before = would_be(book, review, still)
        refuse_unfit(new, before, after)
        open_review_of(book, waiting, before)
        book.append(ReviewResolved(n=review.n, resolutions=new))
        known = book.state.review.findings if book.state.review is not None else ()
        told = replace(after, findings=tuple(findings_of(known, every, after)))
        return Commit(*book.parts(), result_of(book, "resolved", told), book.conflicts)

    def _resolution(
        self, book: PlanBook, conflicts: Sequence[Conflict], choice: Choice
    ) -> ReviewResolution:
        conflict = self._conflict(conflicts, choice)
        if choice.text is not None:
            refuse_outside_profile(conflict.path, choice.text)
        return ReviewResolution(
            conflict=conflict.id,
            path=conflict.path,
            take=None if choice.take is None else _side(conflict, choice.take),
            text=choice.text,
            by=self.principal,
            at_ms=book.now_ms,
        )

    def _conflict(self, conflicts: Sequence[Conflict], choice: Choice) -> Conflict:
        found = [
            each
            for each in conflicts
            if (choice.conflict is None or each.id.startswith(choice.conflict))
            and (choice.path is None or each.path == choice.path)
        ]
        where = choice.conflict if choice.conflict is not None else choice.path
        if not found:
            msg = f"{self.review} has no conflict at {where or 'the root'}."
            raise NotFound(msg, review=str(self.review)).advising(
                f"See what it has: `bps review show {self.review}`."
            )
        if len(found) > 1:
            msg = f"{len(found)} conflicts are at {where or 'the root'}; name one by its id."
            candidates = [each.id for each in found[:10]]
            raise Ambiguous(msg, candidates=[*candidates]).advising(
                f"Name the conflict: {', '.join(each[:12] for each in candidates)}."
            )
        return found[0]


def _side(conflict: Conflict, named: str) -> str:
    """The label that `named` means. Raises InvalidInput."""
    sides = [side.branch for side in conflict.sides]
    if named == BASE or named in sides:
        return named
    short = named.removeprefix("br")
    found = [side for side in sides if side != CANONICAL and f"(br{short}" in side]
    if len(found) != 1 or not short:
        allowed = ", ".join([BASE, *sides])
        msg = f"The conflict at {conflict.path or 'the root'} has no side {named}; take {allowed}."
        raise InvalidInput(msg[:300], field="take")
    return found[0]
