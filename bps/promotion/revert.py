"""Reverting is a promotion too: a new version with the old content; history is never rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import NotFound
from bps.core.ports import Key, Read
from bps.core.txn import Exists
from bps.plans.book import PlanBook
from bps.plans.events import BlueprintPromoted
from bps.plans.model import Version
from bps.plans.register import plan_reads, receipt
from bps.promotion.governance import compare_governance
from bps.promotion.results import PromotionResult
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.precondition import IfMatch, check_if_match, operation_fields
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class Revert:
    """Command: publish the content of version `to` again, as the next version.

    It is neither merged nor validated: those bytes were canonical once (ADR 0026).
    Cost: one transaction with 7 compares and 6 puts; one snapshot before it where `to` is not
    warm, which versions never are.
    """

    principal: str
    op_id: str
    plan: str
    to: int
    reason: str
    if_match: IfMatch | None = None

    result_type = PromotionResult

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "plan": self.plan,
            "to": str(self.to),
            "reason": self.reason,
            **operation_fields(self.if_match),
        }
        return operation(self.principal, self.op_id, "revert", fields)

    def reads(self) -> Sequence[Read]:
        """The plan and the version."""
        return [*plan_reads(self.plan), Key(keys.PlanKeys(self.plan).version(self.to))]

    def decide(self, view: View, now_ms: int) -> Decision[PromotionResult]:
        """Commit, Noop where canonical has that content, or NotFound, PreconditionFailed."""
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        before = book.state.need_canonical()
        check_if_match(self.if_match, before.etag, f"{self.plan}'s canonical")
        stored = view.get(book.state.keys.version(self.to))
        if stored is None:
            msg = f"{self.plan} has no version {self.to}."
            raise NotFound(msg, plan=self.plan, version=str(self.to))
        target = Version.decode(stored.value)
        if before.digest == target.digest:
            why = f"the canonical version {before.version} has the content of version {self.to}"
            return Noop(self._result(before, "unchanged", None), why, book.as_read)
        compare_governance(book)
        book.compare(Exists(book.state.keys.blob(target.digest)))
        book.append(
            BlueprintPromoted(
                version=before.version + 1,
                how="revert",
                base_version=before.version,
                digest=target.digest,
                size_bytes=target.size_bytes,
                contributors=[],
                reverted_to=target.version,
                reason=self.reason,
            )
        )
        parts = book.parts()
        return Commit(*parts, self._result(book.state.need_canonical(), "revert", book))

    def _result(self, canonical: Version, how: str, book: PlanBook | None) -> PromotionResult:
        return PromotionResult.model_validate(
            {
                "plan": self.plan,
                "how": how,
                "version": canonical.version,
                "digest": canonical.digest,
                "contributors": [],
                "nullified": [],
                "receipt": receipt(book) if book else None,
            }
        )
