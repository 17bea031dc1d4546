"""Whether what came with a request names one valid credential; pure (design, "Edges")."""

from __future__ import annotations

from collections.abc import Sequence

from bps.core.errors import InvalidInput, Unauthenticated
from bps.identity.credential import Credential, State
from bps.identity.token_text import Token

MAX_HEADER_LENGTH = 512
_SCHEME = "bearer"


def refusal() -> Unauthenticated:
    """The one answer to all that is not valid: nobody learns what of it was wrong."""
    return Unauthenticated("No valid token or client certificate came with the request.")


def absent() -> Unauthenticated:
    """Nothing came that could be valid."""
    return Unauthenticated("No token and no client certificate came with the request.")


def ended(what: str, state: State) -> Unauthenticated:
    """Told only to who has shown that the credential was theirs."""
    return Unauthenticated(f"This {what} is {state}.").advising(
        "Ask an operator for a new one (`bps token create`), and use it: --token-file, BPS_TOKEN "
        "or `bps context`."
    )


def bearer_token(headers: Sequence[str]) -> Token | None:
    """The token in the Authorization headers of a request; None where there is no such header.

    The scheme's name has no case (RFC 9110, 11.1).

    Raises:
        InvalidInput: there are two such headers.
        Unauthenticated: another scheme, or no token of ours.
    """
    if not headers:
        return None
    if len(headers) > 1:
        raise InvalidInput("The header Authorization came more than once.", field="authorization")
    scheme, _, text = headers[0].partition(" ")
    if len(headers[0]) > MAX_HEADER_LENGTH or scheme.lower() != _SCHEME:
        raise refusal()
    token = Token.parse(text.strip(" "))
    if token is None:
        raise refusal()
    return token


def by_token(token: Token, found: Credential | None, now_ms: int) -> Credential | None:
    """`found` where it is valid and `token` has its secret; as long for an unknown id.

    Raises:
        Unauthenticated: `token` has its secret, but it is expired or revoked.
    """
    known = found if found is not None and found.proof == "secret" else None
    matches = token.matches(known.digest if known else None)
    if known is None or not matches:
        return None
    state = known.state(now_ms)
    if state != "valid":
        raise ended("token", state)
    return known


def by_certificate(found: Sequence[Credential], now_ms: int) -> Credential | None:
    """The credential that the names in a certificate have.

    Raises:
        Unauthenticated: one of them has ended, or they are of several principals.
    """
    named = [credential for credential in found if credential.proof == "certificate"]
    if not named:
        return None
    if len({credential.principal for credential in named}) > 1:
        raise refusal()
    for credential in named:
        if (state := credential.state(now_ms)) != "valid":
            raise ended("certificate's credential", state)
    return named[0]
