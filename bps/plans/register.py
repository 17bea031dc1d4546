"""Registering a plan seals it and makes its blueprint canonical version 1 (R10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import Exists, NotFound
from bps.core.ports import Key, Read
from bps.core.txn import Exists as Present
from bps.core.txn import Put
from bps.plans.blob import Blob
from bps.plans.book import PlanBook
from bps.plans.events import PlanRegistered
from bps.plans.limits import check_blueprint_size
from bps.plans.results import PlanResult, Receipt
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class RegisterPlan:
    """Command: register and seal `plan`. Ids are checked by the caller.

    Cost: one transaction with 8 puts, the compressed blueprint among them.
    """

    principal: str
    op_id: str
    plan: str
    initiative: str
    title: str
    blob: Blob

    result_type = PlanResult

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "plan": self.plan,
            "initiative": self.initiative,
            "title": self.title,
            "digest": self.blob.digest,
        }
        return operation(self.principal, self.op_id, "register_plan", fields)

    def reads(self) -> Sequence[Read]:
        """The plan's four fixed records, the policy and the initiative."""
        return [*plan_reads(self.plan), Key(keys.initiative(self.initiative))]

    def decide(self, view: View, now_ms: int) -> Decision[PlanResult]:
        """Commit, or Noop for the very same plan.

        Raises:
            Exists: the plan is registered with other content.
            NotFound: there is no such initiative.
            LimitExceeded: the blueprint is larger than the policy allows.
        """
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        known = book.state.plan
        if known is not None:
            result = PlanResult(
                plan=self.plan,
                initiative=known.initiative,
                version=1,
                digest=known.digest,
                receipt=None,
            )
            same = (self.initiative, self.title, self.blob.digest)
            if same == (known.initiative, known.title, known.digest):
                return Noop(result, f"{self.plan} is registered already", book.as_read)
            raise (Exists(f"{self.plan} is registered with other content.", plan=self.plan))
        if too_large := check_blueprint_size(book.policy, self.blob):
            raise too_large
        self._need_initiative(book)
        book.append(
            PlanRegistered(
                initiative=self.initiative,
                title=self.title,
                digest=self.blob.digest,
                size_bytes=self.blob.size_bytes,
            )
        )
        book.put(Put(book.state.keys.blob(self.blob.digest), self.blob.frame))
        return Commit(
            *book.parts(),
            PlanResult(
                plan=self.plan,
                initiative=self.initiative,
                version=1,
                digest=self.blob.digest,
                receipt=receipt(book),
            ),
        )

    def _need_initiative(self, book: PlanBook) -> None:
        key = keys.initiative(self.initiative)
        if book.view.get(key) is None:
            msg = f"There is no initiative {self.initiative}."
            raise NotFound(msg, initiative=self.initiative).advising(
                f"Make it with `bps initiative create {self.initiative}`, or choose one of "
                "`bps initiative list`."
            )
        book.compare(Present(key))


def plan_reads(plan: str) -> list[Read]:
    """What every command inside a plan reads; the review, as all promotions ask for it."""
    plan_keys = keys.PlanKeys(plan)
    return [
        Key(plan_keys.record),
        Key(plan_keys.head),
        Key(plan_keys.canonical),
        Key(plan_keys.newest_review),
        Key(keys.POLICY_CURRENT),
    ]


def receipt(book: PlanBook) -> Receipt:
    """The receipt of the last event that was appended."""
    if book.head is None:
        msg = "a receipt needs an event"
        raise ValueError(msg)
    return Receipt(plan=book.state.keys.plan, seq=book.head.seq, hash=book.head.hash)
