"""From a request for a credential to a command, and from its outcome to what is shown once."""

from __future__ import annotations

from bps.api.tokens import SHOWN_ONCE, WITHOUT_SECRET, IssuedToken, TokenRequest, TokenView
from bps.core import ids
from bps.core.text import one_line
from bps.identity.certificates import certificate_name
from bps.identity.create import CreateToken, NewSecret
from bps.identity.credential import Credential
from bps.identity.token_text import Token


def new_secret(token: Token) -> NewSecret:
    """What a command may know of `token`."""
    return NewSecret(token.credential, token.digest)


def creation(request: TokenRequest, principal: str, op_id: str, token: Token) -> CreateToken:
    """The command that makes what was asked for; `token` is used unless a certificate is named.

    Raises:
        InvalidId: principal or certificate name are malformed.
        InvalidInput: the comment is more than a line.
    """
    name = request.certificate_name
    return CreateToken(
        principal,
        op_id,
        ids.principal(request.principal),
        frozenset(request.roles),
        new_secret(token) if name is None else certificate_name(name),
        expires_in_s=request.expires_in_s,
        comment=one_line(request.comment, "comment"),
    )


def issued(credential: Credential, token: Token, now_ms: int) -> IssuedToken:
    """What is shown: the token's text if it is the one that was made, else why there is none."""
    shown = TokenView.of(credential, now_ms).model_dump()
    if credential.proof == "certificate":
        return IssuedToken(**shown, secret=None, why=WITHOUT_SECRET)
    if credential.id != token.credential:
        return IssuedToken(**shown, secret=None, why=SHOWN_ONCE)
    return IssuedToken(**shown, secret=token.text(), why=None)
