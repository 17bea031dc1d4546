"""The operator's brake: one record in the store that makes all sidecars read-only, or not (R13).

It is a brake and no fence: the write path's transactions do not compare it. A sidecar follows it by
the watch, so that a write that was under way may still commit, and `--standalone` is not held up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from bps.core import keys
from bps.core.codec import Record, TimeMs
from bps.core.errors import IntegrityError, ReadOnly
from bps.core.ports import Key, Read, Store
from bps.core.text import needed_text
from bps.core.txn import KV, Put, unchanged
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View

_ASK_AGAIN_S = 60
"""It ends by a person's hand: a client that waits for seconds only is to say so at once."""

Wanted: TypeAlias = Literal["READ_WRITE", "READ_ONLY"]


class OperatorMode(Record):
    """`mode`: what the operator wants; without the record nobody ever wanted anything."""

    KIND: ClassVar[str] = "operator_mode"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    mode: Wanted = "READ_WRITE"
    by: str | None = None
    why: str | None = None
    since_ms: TimeMs | None = None

    def forbids(self) -> ReadOnly | None:
        """What a writer is told; None where writing is allowed."""
        if self.mode == "READ_WRITE":
            return None
        msg = f"{self.by} has made the service read-only: {self.why or 'no reason given'}"
        facts = {"by": self.by, "why": self.why, "since_ms": self.since_ms}
        return ReadOnly(msg, **facts, retry_after_s=_ASK_AGAIN_S)


@dataclass(frozen=True, slots=True)
class SetOperatorMode:
    """Command: make the service read-only, or let it write again; no event, as no plan changes.

    A damaged record is replaced. Cost: one snapshot, one transaction with a put beside the
    operation's record.
    """

    principal: str
    op_id: str
    mode: Wanted
    why: str

    result_type = OperatorMode
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {"mode": self.mode, "why": self.why}
        return operation(self.principal, self.op_id, "set_operator_mode", fields)

    def reads(self) -> Sequence[Read]:
        """What was wanted before."""
        return [Key(keys.OPERATOR_MODE)]

    def decide(self, view: View, now_ms: int) -> Decision[OperatorMode]:
        """Commit, or Noop where this is wanted already, for this reason.

        Raises InvalidInput for READ_ONLY without a reason: it is what writers are told.
        """
        if self.mode == "READ_ONLY":
            needed_text(self.why, "reason")
        stored = view.get(keys.OPERATOR_MODE)
        compares = (unchanged(keys.OPERATOR_MODE, stored.mod_revision if stored else 0),)
        try:
            before = wanted(stored)
        except IntegrityError:
            before = None
        if before is not None and (before.mode, before.why or "") == (self.mode, self.why):
            return Noop(before, f"the mode is {self.mode} already, for this reason", compares)
        now = OperatorMode(mode=self.mode, by=self.principal, why=self.why, since_ms=now_ms)
        return Commit(compares, (Put(keys.OPERATOR_MODE, now.encode()),), now)


def wanted(stored: KV | None) -> OperatorMode:
    """The record in the store, or what holds without one. Raises MalformedRecord, SchemaTooNew."""
    return OperatorMode.decode(stored.value, key=stored.key) if stored else OperatorMode()


@dataclass(frozen=True, slots=True)
class OperatorModeDetail:
    """What the operator wants, at a revision."""

    wanted: OperatorMode
    revision: int


async def operator_mode(store: Store) -> OperatorModeDetail:
    """One round trip. Raises MalformedRecord, SchemaTooNew, Unavailable."""
    snapshot = await store.snapshot([Key(keys.OPERATOR_MODE)])
    found = snapshot.answers[0]
    return OperatorModeDetail(wanted(found[0] if found else None), snapshot.revision)
