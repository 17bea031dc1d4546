"""Adding, revoking and rotating keys: pure decisions, run by the write path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bps.core.errors import Exists
from bps.core.ports import Read
from bps.keyring.model import (
    Action,
    Approval,
    KeyRecord,
    KeyResult,
    NewKey,
    Purpose,
)
from bps.keyring.public_key import PublicKey
from bps.keyring.registry import Registry, registry_reads
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class _Change:
    """What all three share. `approvals` are no part of the request: more may come on a repeat."""

    principal: str
    op_id: str

    result_type: ClassVar[type[KeyResult]] = KeyResult
    plan: ClassVar[None] = None

    def reads(self) -> Sequence[Read]:
        """The whole registry."""
        return registry_reads()


@dataclass(frozen=True, slots=True)
class AddKey(_Change):
    """Command: register a public key for a holder. The same key again changes nothing."""

    key: PublicKey
    holder: str
    purposes: tuple[Purpose, ...]
    comment: str = ""
    approvals: tuple[Approval, ...] = ()

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields: dict[str, Any] = {**self.new.model_dump(), "comment": self.comment}
        return operation(self.principal, self.op_id, "add_key", fields)

    @property
    def new(self) -> NewKey:
        """The key as a statement names it."""
        return new_key(self.key, self.holder, self.purposes)

    def decide(self, view: View, now_ms: int) -> Decision[KeyResult]:
        """Commit, or Noop where it is registered so.

        Raises:
            Exists: it is registered for another holder or other purposes, or was revoked.
            ApprovalsMissing, LimitExceeded: see `Registry`.
        """
        registry = Registry.of(view)
        known = registry.keys.get(self.key.key_id)
        if known is not None:
            named = NewKey(
                public_key=known.public_key, holder=known.holder, purposes=known.purposes
            )
            if not known.valid or named != self.new:
                msg = f"Key {known.key_id} is registered already, differently or revoked."
                raise Exists(msg, key_id=known.key_id)
            why = "the key is registered already"
            return Noop(_result("add", known, registry), why, (registry.unmoved,))
        return _commit("add", registry, [self.record(registry, now_ms)], now_ms)

    def record(self, registry: Registry, now_ms: int) -> KeyRecord:
        """The record of a key that is not registered yet; also for the set-up of a new store.

        Raises:
            ApprovalsMissing: see `Registry.check_approved`.
        """
        approved = registry.check_approved("add", self.key.key_id, self.new, self.approvals, now_ms)
        by = _Act(self.principal, now_ms, approved)
        return by.registered(self.new, self.key, self.comment)


@dataclass(frozen=True, slots=True)
class RevokeKey(_Change):
    """Command: a key signs nothing any more; what it signed before stays verifiable."""

    key_id: str
    approvals: tuple[Approval, ...] = ()

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        return operation(self.principal, self.op_id, "revoke_key", {"key_id": self.key_id})

    def decide(self, view: View, now_ms: int) -> Decision[KeyResult]:
        """Commit.

        Raises:
            NotFound, WrongState: no such key, revoked already, or too few holders would be left.
            ApprovalsMissing: see `Registry.check_approved`.
        """
        registry = Registry.of(view)
        before = registry.need(self.key_id)
        approved = registry.check_approved("revoke", self.key_id, None, self.approvals, now_ms)
        revoked = _Act(self.principal, now_ms, approved).revoked(before, None)
        return _commit("revoke", registry, [revoked], now_ms)


@dataclass(frozen=True, slots=True)
class RotateKey(_Change):
    """Command: a new key takes the place of one, with the same holder and purposes."""

    key_id: str
    key: PublicKey
    comment: str = ""
    approvals: tuple[Approval, ...] = ()

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {"key_id": self.key_id, "public_key": self.key.text, "comment": self.comment}
        return operation(self.principal, self.op_id, "rotate_key", fields)

    def decide(self, view: View, now_ms: int) -> Decision[KeyResult]:
        """Commit.

        Raises:
            NotFound, WrongState: no such key, or it is revoked already.
            Exists: the new key is registered already.
            ApprovalsMissing, LimitExceeded: see `Registry`.
        """
        registry = Registry.of(view)
        before = registry.need(self.key_id)
        if self.key.key_id in registry.keys:
            msg = f"Key {self.key.key_id} is registered already."
            raise Exists(msg, key_id=self.key.key_id)
        new = new_key(self.key, before.holder, before.purposes)
        approved = registry.check_approved("rotate", self.key_id, new, self.approvals, now_ms)
        by = _Act(self.principal, now_ms, approved)
        record = by.registered(new, self.key, self.comment)
        revoked = by.revoked(before, record.key_id)
        return _commit("rotate", registry, [record, revoked], now_ms)


def new_key(key: PublicKey, holder: str, purposes: Sequence[Purpose]) -> NewKey:
    """The key as a statement names it: purposes once each, in their order."""
    return NewKey(
        public_key=key.text,
        holder=holder,
        purposes=[purpose for purpose in Purpose if purpose in purposes],
    )


@dataclass(frozen=True, slots=True)
class _Act:
    """Who changes the registry when, approved by whom."""

    principal: str
    now_ms: int
    approvals: list[Approval]

    def registered(self, new: NewKey, key: PublicKey, comment: str) -> KeyRecord:
        """The record of a new key."""
        return KeyRecord(
            key_id=key.key_id,
            public_key=new.public_key,
            ssh_fingerprint=key.fingerprint,
            holder=new.holder,
            purposes=new.purposes,
            comment=comment,
            added_ms=self.now_ms,
            added_by=self.principal,
            revoked_ms=None,
            revoked_by=None,
            replaced_by=None,
            approvals=self.approvals,
        )

    def revoked(self, before: KeyRecord, replaced_by: str | None) -> KeyRecord:
        """The record of a key that signs no more."""
        return before.model_copy(
            update={
                "revoked_ms": self.now_ms,
                "revoked_by": self.principal,
                "replaced_by": replaced_by,
                "approvals": self.approvals,
            }
        )


def _result(
    action: Action, record: KeyRecord, registry: Registry, replaces: str | None = None
) -> KeyResult:
    return KeyResult(
        action=action,
        key_id=record.key_id,
        ssh_fingerprint=record.ssh_fingerprint,
        holder=record.holder,
        purposes=record.purposes,
        replaces=replaces,
        sequence=registry.sequence,
        holders=len(registry.holders),
    )


def _commit(
    action: Action, registry: Registry, records: list[KeyRecord], now_ms: int
) -> Commit[KeyResult]:
    after, compares, puts = registry.changed(records, now_ms)
    replaces = records[1].key_id if action == "rotate" else None
    return Commit(compares, puts, _result(action, records[0], after, replaces))
