"""The records of the key registry (R10; design, "Votes, overrides, keys")."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from bps.core.codec import Decimal, Record, TimeMs
from bps.keyring.public_key import PublicKey

MAX_KEYS = 500
"""Keys of a registry, revoked ones included: they stay, so that old signatures can be judged."""
MAX_APPROVALS = 16

KeyId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
"""The first 16 hexadecimal digits of the SHA-256 of a raw public key."""


class Purpose(StrEnum):
    """What a key may sign."""

    CHECKPOINT = "checkpoint"
    HOLDER = "holder"
    VOTE = "vote"
    OVERRIDE = "override"


StoredPurpose = Annotated[Purpose, Field(strict=False)]
Action = Literal["add", "revoke", "rotate"]


class NewKey(Record):
    """The key that a statement wants registered."""

    KIND: ClassVar[str] = "new_key"

    public_key: str
    holder: str
    purposes: list[StoredPurpose]


class KeyStatement(Record):
    """What a holder signs to approve one change of the registry.

    `key_id` is the key added, revoked, or replaced by `new`. `sequence` is the registry's before
    the change: no approval serves twice, or after another change. `store` is the registry's own id.
    """

    KIND: ClassVar[str] = "key_statement"

    store: str
    action: Action
    key_id: KeyId
    new: NewKey | None
    sequence: Decimal
    expires_ms: TimeMs


class Approval(Record):
    """One holder's signature, base64, over the DSSE encoding of `statement` (canonical JSON)."""

    KIND: ClassVar[str] = "key_approval"

    statement: str
    key_id: KeyId
    signature: str


class KeyRecord(Record):
    """`keys/{id}`: an Ed25519 signer. `approvals` are those of its latest change."""

    KIND: ClassVar[str] = "key"

    key_id: KeyId
    public_key: str
    ssh_fingerprint: str
    holder: str
    purposes: list[StoredPurpose]
    comment: str
    added_ms: TimeMs
    added_by: str
    revoked_ms: TimeMs | None
    revoked_by: str | None
    replaced_by: KeyId | None
    approvals: list[Approval]

    @property
    def valid(self) -> bool:
        """Whether it is not revoked."""
        return self.revoked_ms is None

    def may(self, purpose: Purpose) -> bool:
        """Whether it can sign for `purpose` now."""
        return self.valid and purpose in self.purposes

    @property
    def public(self) -> PublicKey:
        """The key itself. Raises InvalidInput where the record was damaged."""
        return PublicKey.parse(self.public_key)


class KeyRegistry(Record):
    """`key-registry`: every change of the registry compares it and counts `sequence` on.

    `store` tells this store from others, so that an approval given for one serves in no other.
    """

    KIND: ClassVar[str] = "key_registry"

    store: str
    sequence: Decimal


class KeyResult(Record):
    """What became of a change. `replaces` is the key that a rotation revoked."""

    KIND: ClassVar[str] = "key_result"

    action: Action
    key_id: KeyId
    ssh_fingerprint: str
    holder: str
    purposes: list[StoredPurpose]
    replaces: KeyId | None
    sequence: Decimal
    holders: int
