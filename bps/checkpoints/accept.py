"""Accepting that an older state of the store was restored: a pure decision (R13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.checkpoints.accepted import (
    MAX_READ,
    AcceptedRollback,
    LostCheckpoint,
    is_signed_by,
)
from bps.checkpoints.mirror_lines import Mirrored
from bps.checkpoints.model import NO_CHECKPOINT, CheckpointTip, hash_of
from bps.core import keys
from bps.core.errors import InvalidInput, WrongState
from bps.core.ports import Key, Prefix, Read
from bps.core.txn import Condition, Put, absent, unchanged
from bps.keyring.statement import Signer
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


def shown(recent: Sequence[Mirrored]) -> tuple[LostCheckpoint, ...]:
    """The newest checkpoints of a mirror as an operator shows them."""
    return tuple(LostCheckpoint(seq=each.seq, hash=each.hash) for each in recent)


@dataclass(frozen=True, slots=True)
class AcceptRollback:
    """Command: take what the store holds for the truth, although a mirror holds more.

    `mirrored` are the newest checkpoints of that mirror (at most 100), oldest first; those that the
    store does not hold are recorded as lost. `named` says that the caller named them: a sidecar's
    own mirror is another one when the request is repeated. Nothing else changes: the store's chain
    of checkpoints goes on from its end.
    Cost: one snapshot, one transaction with a put beside the operation's record.
    """

    principal: str
    op_id: str
    reason: str
    mirrored: tuple[LostCheckpoint, ...]
    signer: Signer
    named: bool = True

    result_type: ClassVar[type[AcceptedRollback]] = AcceptedRollback
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "reason": self.reason,
            "mirrored": [[str(each.seq), each.hash] for each in self.mirrored]
            if self.named
            else None,
        }
        return operation(self.principal, self.op_id, "accept_rollback", fields)

    def reads(self) -> Sequence[Read]:
        """The end of the store's chain, what was accepted before, and the mirrored checkpoints."""
        return [
            Key(keys.CHECKPOINT_TIP),
            Prefix(keys.ROLLBACKS, limit=MAX_READ),
            *(Key(keys.checkpoint(each.seq)) for each in self.mirrored),
        ]

    def decide(self, view: View, now_ms: int) -> Decision[AcceptedRollback]:
        """Commit, or Noop where this was accepted already, by this sidecar's key.

        Raises:
            InvalidInput: no reason is given.
            WrongState: the store holds the last mirrored checkpoint, or none was mirrored.
        """
        if not self.reason.strip():
            raise InvalidInput("A rollback is accepted for a reason; give it.", field="reason")
        if not self.mirrored:
            raise WrongState("The mirror holds no checkpoint, so that it misses none.")
        stored_tip = view.get(keys.CHECKPOINT_TIP)
        last = self.mirrored[-1]
        before = [(AcceptedRollback.decode(kv.value), kv) for kv in view.under(keys.ROLLBACKS)]
        tip_is = unchanged(keys.CHECKPOINT_TIP, stored_tip.mod_revision if stored_tip else 0)
        for accepted, stored in reversed(before):
            # One that another key signed may be nothing to the mirrors that trust ours.
            if accepted.covers(last.seq, last.hash) and is_signed_by(stored, self.signer.public):
                why = f"rollback {accepted.n} covers checkpoint {last.seq} already"
                return Noop(accepted, why, (tip_is,))
        held = view.get_all(keys.checkpoint(each.seq) for each in self.mirrored)
        lost = [
            each
            for each, kv in zip(self.mirrored, held, strict=True)
            if kv is None or hash_of(kv.value) != each.hash
        ]
        if last not in lost:
            msg = f"etcd holds checkpoint {last.seq} as the mirror does: there is no rollback."
            raise WrongState(msg, checkpoint=str(last.seq)).advising("Look at `bps doctor`.")
        tip = CheckpointTip.decode(stored_tip.value) if stored_tip else None
        n = before[-1][0].n + 1 if before else 1
        record = AcceptedRollback.signed(
            self.signer,
            n=n,
            by=self.principal,
            reason=self.reason,
            time_ms=now_ms,
            lost=lost,
            seq=tip.seq if tip else 0,
            hash=tip.hash if tip else NO_CHECKPOINT,
        )
        compares: tuple[Condition, ...] = (tip_is, absent(keys.rollback(n)))
        return Commit(compares, (Put(keys.rollback(n), record.encode()),), record)
