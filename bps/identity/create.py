"""Creating a credential: a bearer token's digest, or a name in client certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.core import ids, keys
from bps.core.errors import Exists, InvalidId
from bps.core.ports import Key, Read
from bps.core.txn import absent
from bps.identity.certificates import credential_of
from bps.identity.credential import Credential, registry_in
from bps.identity.roles import Role
from bps.writepath.command import Commit, Decision, OperationId, operation
from bps.writepath.view import View

MAX_LIFETIME_S = 10 * 366 * 86_400
"""The longest expiry that can be asked for; without one a credential lasts until it is revoked."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """What a command knows of a new token: its id, and the SHA-256 of its secret."""

    credential: str
    digest: str


@dataclass(frozen=True, slots=True)
class CreateToken:
    """Command: `holder` may come in with `proof`, a secret or a certificate's checked name.

    The secret's digest is no part of the operation's own digest: a repeated operation comes with
    another secret, and is answered by the credential that the first one made.
    """

    principal: str
    op_id: str
    holder: str
    roles: frozenset[Role]
    proof: NewSecret | str
    expires_in_s: int | None = None
    comment: str = ""

    result_type = Credential
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "holder": self.holder,
            "roles": sorted(self.roles),
            "certificate_name": self.proof if isinstance(self.proof, str) else None,
            "expires_in_s": self.expires_in_s,
            "comment": self.comment,
        }
        return operation(self.principal, self.op_id, "create_token", fields)

    @property
    def credential_id(self) -> str:
        """The id that the credential gets."""
        if isinstance(self.proof, str):
            return credential_of(self.proof)
        return self.proof.credential

    def reads(self) -> Sequence[Read]:
        """The credential's own key, and the registry."""
        return [Key(keys.token(self.credential_id)), Key(keys.TOKEN_REGISTRY)]

    def decide(self, view: View, now_ms: int) -> Decision[Credential]:
        """Commit.

        Raises:
            InvalidId: `bps` is the service's own name.
            Exists: the certificate's name has a credential already, revoked ones included.
            LimitExceeded: there are too many credentials, or too many operators.
        """
        if self.holder == ids.SERVICE_PRINCIPAL:
            msg = f"{ids.SERVICE_PRINCIPAL} is the service itself; choose another principal."
            raise InvalidId(msg, expected="supervisor-1")
        credential = self.credential(now_ms)
        known = view.get(keys.token(credential.id))
        if known is not None:
            msg = (
                f"Credential {credential.id} exists already; a certificate's name has one for "
                "ever, so that a revoked certificate never comes in again. Use another name."
            )
            raise Exists(msg, credential=credential.id)
        registry, unmoved = registry_in(view)
        registry = registry.with_new(credential, now_ms)
        return Commit(
            (absent(keys.token(credential.id)), unmoved),
            (credential.put(), registry.put()),
            credential,
        )

    def credential(self, now_ms: int) -> Credential:
        """The record, made at `now_ms`."""
        by_name = isinstance(self.proof, str)
        return Credential(
            id=self.credential_id,
            principal=self.holder,
            roles=sorted(self.roles),
            proof="certificate" if by_name else "secret",
            digest=None if isinstance(self.proof, str) else self.proof.digest,
            certificate_name=self.proof if isinstance(self.proof, str) else None,
            created_ms=now_ms,
            created_by=self.principal,
            expires_ms=None if self.expires_in_s is None else now_ms + self.expires_in_s * 1_000,
            revoked_ms=None,
            revoked_by=None,
            rotated_from=None,
            comment=self.comment,
        )
