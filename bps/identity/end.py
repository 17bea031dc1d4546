"""Ending a credential: revoked at once, or replaced by a new secret after a time of grace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.core import keys
from bps.core.codec import Record
from bps.core.errors import Exists, NotFound, WrongState
from bps.core.ports import Key, Read
from bps.core.txn import Condition, absent, unchanged
from bps.identity.create import NewSecret
from bps.identity.credential import Credential, credential_at, registry_in
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View

MAX_GRACE_S = 30 * 86_400
"""How long a replaced secret can stay valid."""


class Rotation(Record):
    """A secret was replaced: the new credential, and the old one as it is now."""

    KIND: ClassVar[str] = "rotation"

    credential: Credential
    replaced: Credential


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """Command: end a credential now. One that was revoked before stays as it is."""

    principal: str
    op_id: str
    credential_id: str

    result_type = Credential
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {"credential": self.credential_id}
        return operation(self.principal, self.op_id, "revoke_token", fields)

    def reads(self) -> Sequence[Read]:
        """The credential and the registry."""
        return [Key(keys.token(self.credential_id)), Key(keys.TOKEN_REGISTRY)]

    def decide(self, view: View, now_ms: int) -> Decision[Credential]:
        """Commit, or Noop where it is revoked already.

        Raises:
            NotFound: there is no such credential.
            WrongState: it is the last valid one with the role operator.
        """
        known, compare = _stored(view, self.credential_id)
        if known.revoked_ms is not None:
            return Noop(known, f"credential {known.id} is revoked already", (compare,))
        registry, unmoved = registry_in(view)
        last = known.operator and known.state(now_ms) == "valid"
        if last and not registry.has_operator(now_ms, but=known.id):
            msg = (
                f"{known.id} is the last valid credential of an operator; create another one "
                "before it is revoked."
            )
            raise WrongState(msg, credential=known.id, state="valid").advising(
                "Make another operator's token (`bps token create WHO --role operator`), then "
                "revoke this one with it."
            )
        revoked = _revoked(known, self.principal, now_ms)
        if not known.operator:
            return Commit((compare,), (revoked.put(),), revoked)
        registry = registry.with_ended(revoked)
        return Commit((compare, unmoved), (revoked.put(), registry.put()), revoked)


@dataclass(frozen=True, slots=True)
class RotateToken:
    """Command: a new secret for the same principal and roles.

    The old one is revoked at once, or expires after `grace_s` seconds if that is sooner than it
    would have. The new one lasts as long as the old one was made to.
    """

    principal: str
    op_id: str
    credential_id: str
    secret: NewSecret
    grace_s: int = 0

    result_type = Rotation
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest; the secret is no part of it, as in CreateToken."""
        fields = {"credential": self.credential_id, "grace_s": self.grace_s}
        return operation(self.principal, self.op_id, "rotate_token", fields)

    def reads(self) -> Sequence[Read]:
        """Both credentials and the registry."""
        old, new = keys.token(self.credential_id), keys.token(self.secret.credential)
        return [Key(old), Key(new), Key(keys.TOKEN_REGISTRY)]

    def decide(self, view: View, now_ms: int) -> Decision[Rotation]:
        """Commit.

        Raises:
            NotFound: there is no such credential.
            WrongState: it has ended, or is a certificate's.
            Exists: the new id is taken.
            LimitExceeded: there are too many credentials.
        """
        known, compare = _stored(view, self.credential_id)
        state = known.state(now_ms)
        if state != "valid" or known.proof != "secret":
            what = f"is {state}" if state != "valid" else "has no secret: renew the certificate"
            msg = f"Credential {known.id} {what}; it cannot be rotated."
            raise WrongState(msg, credential=known.id, state=state).advising(
                "Make a new credential (`bps token create`); `bps token list` shows all."
            )
        if view.get(keys.token(self.secret.credential)) is not None:
            msg = f"Credential {self.secret.credential} exists already."
            raise Exists(msg, credential=self.secret.credential)
        new = known.model_copy(
            update={
                "id": self.secret.credential,
                "digest": self.secret.digest,
                "created_ms": now_ms,
                "created_by": self.principal,
                "expires_ms": None
                if known.expires_ms is None
                else now_ms + known.expires_ms - known.created_ms,
                "rotated_from": known.id,
            }
        )
        replaced = self._ended(known, now_ms)
        registry, unmoved = registry_in(view)
        registry = registry.with_ended(replaced).with_new(new, now_ms)
        return Commit(
            (compare, absent(keys.token(new.id)), unmoved),
            (new.put(), replaced.put(), registry.put()),
            Rotation(credential=new, replaced=replaced),
        )

    def _ended(self, known: Credential, now_ms: int) -> Credential:
        if self.grace_s == 0:
            return _revoked(known, self.principal, now_ms)
        end_ms = now_ms + self.grace_s * 1_000
        if known.expires_ms is not None:
            end_ms = min(end_ms, known.expires_ms)
        return known.model_copy(update={"expires_ms": end_ms})


def _stored(view: View, credential_id: str) -> tuple[Credential, Condition]:
    stored = view.get(keys.token(credential_id))
    if stored is None:
        msg = f"There is no credential {credential_id}."
        raise NotFound(msg, credential=credential_id).advising("Choose one of `bps token list`.")
    return credential_at(stored), unchanged(stored.key, stored.mod_revision)


def _revoked(known: Credential, principal: str, now_ms: int) -> Credential:
    return known.model_copy(update={"revoked_ms": now_ms, "revoked_by": principal})
