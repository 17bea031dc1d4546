"""The key registry as it is asked for and shown; approvals travel as DSSE envelopes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bps.api.requests import LINE_FORM, PrincipalText, RequestModel, published
from bps.core import ids
from bps.core.errors import InvalidId, InvalidInput
from bps.keyring.change import new_key
from bps.keyring.model import (
    MAX_APPROVALS,
    Approval,
    KeyId,
    KeyRecord,
    KeyStatement,
    Purpose,
    StoredPurpose,
)
from bps.keyring.public_key import MAX_COMMENT, MAX_TEXT, PublicKey, key_comment
from bps.keyring.read import KeyList
from bps.keyring.registry import Registry
from bps.keyring.statement import STATEMENT_TYPE, approval_of
from bps.plans.cloudevents import rfc3339

DEFAULT_EXPIRY_S = 86_400
MAX_EXPIRY_S = 30 * 86_400
_KEY_ID = re.compile(r"[0-9a-f]{16}")

Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=16_384)]
PublicKeyText = Annotated[
    str,
    Field(
        description="An Ed25519 key: a line of OpenSSH, PEM, or 32 bytes in base64.",
        min_length=1,
        max_length=MAX_TEXT,
        examples=["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],
    ),
]


class EnvelopeSignature(RequestModel):
    """One signature of a DSSE envelope."""

    keyid: KeyId
    sig: Base64


class Envelope(RequestModel):
    """A holder's approval: a DSSE envelope, as `bps keys sign` makes it."""

    payload: Base64
    payload_type: Annotated[
        Literal["application/vnd.bps.key-statement+json"], Field(alias="payloadType")
    ]
    signatures: Annotated[list[EnvelopeSignature], Field(min_length=1, max_length=MAX_APPROVALS)]

    def approvals(self) -> list[Approval]:
        """One a signature. Raises InvalidInput where it is no signed key statement."""
        return [
            approval_of(self.payload, STATEMENT_TYPE, each.keyid, each.sig)
            for each in self.signatures
        ]


Comment = Annotated[
    str, published(LINE_FORM), Field(description="One line for people.", max_length=MAX_COMMENT)
]
Approvals = Annotated[
    list[Envelope],
    Field(
        description="From three holders on: the approvals of a majority of them.",
        max_length=MAX_APPROVALS,
    ),
]


class KeyRequest(RequestModel):
    """A key to be registered."""

    public_key: PublicKeyText
    holder: Annotated[
        PrincipalText, Field(description="Who holds the private key.", examples=["alice"])
    ]
    purposes: Annotated[
        list[StoredPurpose],
        Field(description="What it may sign; at least one.", min_length=1, max_length=4),
    ]
    comment: Comment = ""
    approvals: Approvals = Field(default_factory=list)


class KeyRotationRequest(RequestModel):
    """The key that takes the place of another."""

    public_key: PublicKeyText
    comment: Comment = ""
    approvals: Approvals = Field(default_factory=list)


class KeyRevocationRequest(RequestModel):
    """Approvals, where they are needed."""

    approvals: Approvals = Field(default_factory=list)


class StatementRequest(RequestModel):
    """The change that holders are to approve. `key_id` for revoke and rotate, the rest for add."""

    action: Literal["add", "revoke", "rotate"]
    key_id: KeyId | None = None
    public_key: PublicKeyText | None = None
    holder: PrincipalText | None = None
    purposes: list[StoredPurpose] = Field(default_factory=list)
    expires_in_s: Annotated[int, Field(ge=60, le=MAX_EXPIRY_S)] = DEFAULT_EXPIRY_S


class KeyView(BaseModel):
    """A row of `bps keys list`.

    Of an `unreadable` one, whose record is damaged or of a newer release, only the id is known, and
    `comment` says why it cannot be read.
    """

    model_config = ConfigDict(extra="forbid")

    key_id: str
    ssh_fingerprint: str | None
    public_key: str | None
    holder: str | None
    purposes: list[str]
    state: Literal["valid", "revoked", "unreadable"]
    comment: str
    added_at: str | None
    added_by: str | None
    revoked_at: str | None
    revoked_by: str | None
    replaced_by: str | None
    approved_by: list[str]

    @classmethod
    def of(cls, key: KeyRecord) -> KeyView:
        """From the record; `approved_by` are the ids of the holders' keys."""
        return cls(
            key_id=key.key_id,
            ssh_fingerprint=key.ssh_fingerprint,
            public_key=key.public_key,
            holder=key.holder,
            purposes=[purpose.value for purpose in key.purposes],
            state="valid" if key.valid else "revoked",
            comment=key.comment,
            added_at=rfc3339(key.added_ms),
            added_by=key.added_by,
            revoked_at=None if key.revoked_ms is None else rfc3339(key.revoked_ms),
            revoked_by=key.revoked_by,
            replaced_by=key.replaced_by,
            approved_by=[approval.key_id for approval in key.approvals],
        )

    @classmethod
    def unreadable(cls, key_id: str, why: str) -> KeyView:
        """What is known of a key whose record cannot be read."""
        return cls(
            key_id=key_id,
            ssh_fingerprint=None,
            public_key=None,
            holder=None,
            purposes=[],
            state="unreadable",
            comment=why,
            added_at=None,
            added_by=None,
            revoked_at=None,
            revoked_by=None,
            replaced_by=None,
            approved_by=[],
        )


def key_id_text(text: str) -> str:
    """A key's id: 16 hexadecimal digits. Raises InvalidId."""
    if not _KEY_ID.fullmatch(text):
        raise InvalidId("A key id is 16 lower-case hexadecimal digits.", expected="0" * 16)
    return text


def key_view_rows(found: KeyList) -> list[KeyView]:
    """All keys by their ids, the revoked and the unreadable ones too."""
    rows = [KeyView.of(key) for key in found.items]
    rows += [KeyView.unreadable(key_id, why.message) for key_id, why in found.unreadable.items()]
    return sorted(rows, key=lambda row: row.key_id)


class GeneratedKey(BaseModel):
    """`bps keys generate` and `bps keys public`: the public half of a private key."""

    model_config = ConfigDict(extra="forbid")

    key_id: str
    ssh_fingerprint: str
    public_key: str


class EnvelopeSigned(BaseModel):
    """One signature of a DSSE envelope."""

    model_config = ConfigDict(extra="forbid")

    keyid: str
    sig: str


class SignedStatement(BaseModel):
    """`bps keys sign`: a holder's approval, a DSSE envelope around a key statement."""

    model_config = ConfigDict(extra="forbid")

    payload: str
    payloadType: str  # noqa: N815 - DSSE names it so
    signatures: list[EnvelopeSigned]


def approvals_in(envelopes: Sequence[Envelope]) -> tuple[Approval, ...]:
    """The approvals of a request. Raises InvalidInput."""
    return tuple(approval for envelope in envelopes for approval in envelope.approvals())


def checked_comment(given: str, key: PublicKey) -> str:
    """The comment that was given, else the key's own. Raises InvalidInput."""
    return key_comment(given or key.comment)


def distinct_purposes(purposes: Sequence[Purpose]) -> tuple[Purpose, ...]:
    """At least one, each once. Raises InvalidInput."""
    if not purposes:
        raise InvalidInput("A key needs at least one purpose.", field="purposes")
    return tuple(dict.fromkeys(purposes))


def statement_for(wanted: StatementRequest, registry: Registry, now_ms: int) -> KeyStatement:
    """What holders sign for this change, as the registry is now.

    Raises:
        InvalidInput: a field that the action needs is missing, or one too many is there.
        NotFound, WrongState: the key to revoke or rotate is not there or revoked.
    """
    need = {
        "add": {"public_key", "holder", "purposes"},
        "revoke": {"key_id"},
        "rotate": {"key_id", "public_key"},
    }[wanted.action]
    given = {
        name for name in ("key_id", "public_key", "holder", "purposes") if getattr(wanted, name)
    }
    if given != need:
        msg = f"A statement to {wanted.action} a key takes {', '.join(sorted(need))} and no more."
        raise InvalidInput(msg, field=min(given ^ need))
    key = PublicKey.parse(wanted.public_key) if wanted.public_key else None
    new, key_id = None, wanted.key_id
    if wanted.key_id:
        before = registry.need(wanted.key_id)
        if key is not None:
            new = new_key(key, before.holder, before.purposes)
    elif key is not None:
        key_id = key.key_id
        purposes = distinct_purposes(wanted.purposes)
        new = new_key(key, ids.principal(wanted.holder or ""), purposes)
    expires_ms = now_ms + wanted.expires_in_s * 1_000
    return registry.statement(wanted.action, key_id or "", new, expires_ms)
