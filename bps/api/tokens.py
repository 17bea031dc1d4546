"""Credentials as they are asked for and shown; a secret is shown once, its digest never."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bps.api.requests import LINE_FORM, PrincipalText, RequestModel, published
from bps.core.text import MAX_LINE
from bps.identity.certificates import NAME_FORM
from bps.identity.create import MAX_LIFETIME_S
from bps.identity.credential import Credential, State, StoredRole
from bps.identity.end import MAX_GRACE_S
from bps.identity.prune import DEFAULT_AGE_S
from bps.identity.read import CredentialPage
from bps.plans.cloudevents import rfc3339

SHOWN_ONCE = "a secret is shown once, and this operation was done before"
WITHOUT_SECRET = "a certificate's credential has no secret"  # noqa: S105 - it is none


class TokenRequest(RequestModel):
    """A credential to be made: a bearer token, or a name in client certificates."""

    principal: Annotated[
        PrincipalText,
        Field(description="Who comes in with it.", max_length=64, examples=["agent-7"]),
    ]
    roles: Annotated[
        list[StoredRole],
        Field(description="What it is for; at least one.", min_length=1, max_length=5),
    ]
    expires_in_s: Annotated[
        int | None,
        Field(description="Seconds until it expires; null: never.", ge=1, le=MAX_LIFETIME_S),
    ] = None
    certificate_name: Annotated[
        Annotated[str, published(f"^{NAME_FORM}$")] | None,
        Field(
            description="A name in the client certificate instead of a secret: `uri:...` or "
            "`dns:...` of subjectAltName, `cn:...` of the subject.",
            max_length=260,
            examples=["uri:spiffe://example.org/agent-7"],
        ),
    ] = None
    comment: Annotated[
        str,
        published(LINE_FORM),
        Field(description="One line for people.", max_length=MAX_LINE),
    ] = ""


class RotationRequest(RequestModel):
    """A new secret for a credential."""

    grace_s: Annotated[
        int,
        Field(description="Seconds for which the old secret stays valid.", ge=0, le=MAX_GRACE_S),
    ] = 0


class RevocationRequest(RequestModel):
    """Nothing; an empty body says the same."""


class PruningRequest(RequestModel):
    """Which records of ended credentials are removed."""

    older_than_s: Annotated[
        int,
        Field(description="Seconds since they ended.", ge=1, le=MAX_LIFETIME_S),
    ] = DEFAULT_AGE_S


class TokenView(BaseModel):
    """A credential; a row of `bps token list`.

    Of an `unreadable` one, whose record is damaged or of a newer release, only the id is known, and
    `comment` says why it cannot be read. It lets nobody in.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    principal: str | None
    roles: list[str]
    kind: Literal["secret", "certificate"] | None
    state: State | Literal["unreadable"]
    certificate_name: str | None
    created_at: str | None
    created_by: str | None
    expires_at: str | None
    revoked_at: str | None
    revoked_by: str | None
    rotated_from: str | None
    comment: str

    @classmethod
    def of(cls, credential: Credential, now_ms: int) -> TokenView:
        """From the record; its state is that of `now_ms`."""
        return cls(
            id=credential.id,
            principal=credential.principal,
            roles=[role.value for role in credential.roles],
            kind=credential.proof,
            state=credential.state(now_ms),
            certificate_name=credential.certificate_name,
            created_at=rfc3339(credential.created_ms),
            created_by=credential.created_by,
            expires_at=_instant(credential.expires_ms),
            revoked_at=_instant(credential.revoked_ms),
            revoked_by=credential.revoked_by,
            rotated_from=credential.rotated_from,
            comment=credential.comment,
        )

    @staticmethod
    def unreadable(credential_id: str, why: str) -> TokenView:
        """What is known of a credential whose record cannot be read."""
        return TokenView(
            id=credential_id,
            principal=None,
            roles=[],
            kind=None,
            state="unreadable",
            certificate_name=None,
            created_at=None,
            created_by=None,
            expires_at=None,
            revoked_at=None,
            revoked_by=None,
            rotated_from=None,
            comment=why,
        )


def token_rows(page: CredentialPage, now_ms: int) -> list[TokenView]:
    """All of a page by their ids, the unreadable ones too."""
    rows = [TokenView.of(credential, now_ms) for credential in page.items]
    rows += [TokenView.unreadable(name, why.message) for name, why in page.unreadable.items()]
    return sorted(rows, key=lambda row: row.id)


class IssuedToken(TokenView):
    """What was made. `secret` is the whole token, this once; null where `why` says why."""

    secret: str | None
    why: str | None


class IdentityView(BaseModel):
    """Who the service takes the caller for."""

    model_config = ConfigDict(extra="forbid")

    principal: str
    roles: list[str]
    credential: str


def _instant(time_ms: int | None) -> str | None:
    return None if time_ms is None else rfc3339(time_ms)
