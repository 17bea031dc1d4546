"""Credentials as stored: who may come in with which secret or certificate, and as what (R12)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bps.core import keys
from bps.core.codec import Decimal, Record, Sha256, TimeMs
from bps.core.errors import InvalidId, LimitExceeded, MalformedRecord
from bps.core.txn import KV, Condition, Put, unchanged
from bps.identity.roles import Identity, Role
from bps.writepath.view import View

MAX_CREDENTIALS = 10_000
"""Credentials that are kept, the ended ones included; a sidecar holds them all in memory."""
MAX_OPERATORS = 100
"""Credentials with the role operator that have not ended; the registry names each."""

_ID = re.compile(r"[0-9a-f]{16}")

StoredRole = Annotated[Role, Field(strict=False)]
"""A role in a record; stored as its name, which strict validation alone would refuse."""

State = Literal["valid", "expired", "revoked"]


class Credential(Record):
    """`tokens/{id}`: a secret (by its digest) or a name in client certificates.

    `rotated_from` is the credential that this one replaced.
    """

    KIND: ClassVar[str] = "credential"

    id: str
    principal: str
    roles: list[StoredRole]
    proof: Literal["secret", "certificate"]
    digest: Sha256 | None
    certificate_name: str | None
    created_ms: TimeMs
    created_by: str
    expires_ms: TimeMs | None
    revoked_ms: TimeMs | None
    revoked_by: str | None
    rotated_from: str | None
    comment: str

    def state(self, now_ms: int) -> State:
        """What it is at `now_ms`; from its expiry on it is expired."""
        if self.revoked_ms is not None:
            return "revoked"
        return "valid" if self.expires_ms is None or now_ms < self.expires_ms else "expired"

    @property
    def identity(self) -> Identity:
        """Whom it lets in."""
        return Identity(self.principal, frozenset(self.roles), self.id)

    @property
    def operator(self) -> bool:
        """Whether it can manage credentials."""
        return Role.OPERATOR in self.roles

    def put(self) -> Put:
        """Its write."""
        return Put(keys.token(self.id), self.encode())


class CredentialRegistry(Record):
    """`token-registry`: what a decision must know of all credentials without reading them.

    `total` counts all records until they are pruned; `operators` names the credentials with the
    role operator that were not revoked, with their expiries (null: none).
    """

    KIND: ClassVar[str] = "credential_registry"

    total: Decimal
    operators: dict[str, TimeMs | None]

    def has_operator(self, now_ms: int, *, but: str = "") -> bool:
        """Whether a credential other than `but` is valid at `now_ms` and has the role operator."""
        return any(name != but and _lasts(end, now_ms) for name, end in self.operators.items())

    def with_new(self, credential: Credential, now_ms: int) -> CredentialRegistry:
        """The registry after `credential` was added; expired operators are dropped from it.

        Raises:
            LimitExceeded: 10,000 credentials, or 100 valid ones with the role operator.
        """
        if self.total >= MAX_CREDENTIALS:
            raise _too_many("max_credentials", "credentials", self.total + 1, MAX_CREDENTIALS)
        operators = {name: end for name, end in self.operators.items() if _lasts(end, now_ms)}
        if credential.operator:
            operators[credential.id] = credential.expires_ms
        if len(operators) > MAX_OPERATORS:
            raise _too_many("max_operators", "operators", len(operators), MAX_OPERATORS)
        return CredentialRegistry(total=self.total + 1, operators=operators)

    def with_ended(self, credential: Credential) -> CredentialRegistry:
        """The registry after `credential` was revoked, or got another expiry."""
        operators = {name: end for name, end in self.operators.items() if name != credential.id}
        if credential.operator and credential.revoked_ms is None:
            operators[credential.id] = credential.expires_ms
        return CredentialRegistry(total=self.total, operators=operators)

    def without(self, pruned: Collection[str]) -> CredentialRegistry:
        """The registry after the records of the credentials `pruned` were removed."""
        operators = {name: end for name, end in self.operators.items() if name not in pruned}
        return CredentialRegistry(total=self.total - len(pruned), operators=operators)

    def put(self) -> Put:
        """Its write."""
        return Put(keys.TOKEN_REGISTRY, self.encode())


def credential_id(text: str) -> str:
    """A credential's id: 16 hexadecimal digits, as in the text of a token. Raises InvalidId."""
    if _ID.fullmatch(text) is None:
        example = "0123456789abcdef"
        msg = f"{text[:60]!a} is no credential id; one looks like {example}."
        raise InvalidId(msg, expected=example)
    return text


def registry_in(view: View) -> tuple[CredentialRegistry, Condition]:
    """The registry as the view has it, and the condition that nothing in it has changed.

    Raises NotRead.
    """
    stored = view.get(keys.TOKEN_REGISTRY)
    if stored is None:
        return CredentialRegistry(total=0, operators={}), unchanged(keys.TOKEN_REGISTRY, 0)
    found = CredentialRegistry.decode(stored.value)
    return found, unchanged(keys.TOKEN_REGISTRY, stored.mod_revision)


def credential_at(kv: KV) -> Credential:
    """The credential stored as `kv`. Raises MalformedRecord, SchemaTooNew."""
    found = Credential.decode(kv.value)
    if keys.token(found.id) != kv.key:
        where = kv.key.decode(errors="replace")
        raise MalformedRecord(f"{where} holds a credential with another id.", key=where)
    return found


def _lasts(expires_ms: int | None, now_ms: int) -> bool:
    return expires_ms is None or now_ms < expires_ms


def _too_many(limit: str, what: str, value: int, allowed: int) -> LimitExceeded:
    msg = f"The store keeps at most {allowed} {what}; `bps token prune` removes ended ones."
    return LimitExceeded(msg, limit=limit, value=value, allowed=allowed)
