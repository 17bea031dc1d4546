"""Who comes in: by bearer token or client certificate, within its rate, and as its roles allow.

All of it is decided from headers and the connection, before a byte of the body is read and before
anything that the request names is looked at: no answer tells whether a thing exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from starlette.requests import HTTPConnection

from bps.core.errors import BpsError, Forbidden, Unauthenticated
from bps.core.ports import Clock
from bps.identity.authenticate import absent, bearer_token, by_certificate, by_token, refusal
from bps.identity.certificates import credential_of, names_of
from bps.identity.credential import Credential
from bps.identity.roles import ALLOWED, Identity, Operation
from bps.identity.token_text import Token
from bps.sidecar.credentials import Credentials


class Rates(Protocol):
    """How often is too often."""

    def admitted(self, principal: str) -> None:
        """Count a request of a known principal. Raises RateLimited."""
        ...

    def refused(self, address: str) -> None:
        """Count a request without valid credentials. Raises RateLimited."""
        ...

    def forgiven(self, address: str) -> None:
        """Take one `refused` back."""
        ...


class TokenGuard:
    """The guard of the service; see `bps.http.service.Guard`."""

    def __init__(self, credentials: Credentials, clock: Clock, rates: Rates) -> None:
        self._credentials = credentials
        self._clock = clock
        self._rates = rates

    async def admit(self, request: HTTPConnection, operation: Operation) -> Identity:
        """The caller's identity, allowed to do `operation` now.

        Cost: no round trip while the watch is warm, else one.

        Raises:
            InvalidInput: the header Authorization came twice.
            Unauthenticated: no valid token or certificate, or they name two principals.
            RateLimited: too many requests of this principal, or failures of this address.
            Forbidden: none of the caller's roles allows it.
            Unavailable: the watch is down, and so is the store.
        """
        with self._failures_counted(request):
            credential = await self._authenticate(request)
        identity = credential.identity
        self._rates.admitted(identity.principal)
        if not identity.may(operation):
            may = sorted(ALLOWED[operation])
            roles = f"one of the roles {', '.join(may)}" if len(may) > 1 else f"the role {may[0]}"
            raise Forbidden(f"None of your roles allows {operation.value}.").advising(
                f"Use a token with {roles} (docs/roles.md)."
            )
        return identity

    async def still_valid(self, identity: Identity) -> bool:
        """Whether who came in before would still come in with the same roles.

        True while neither the watch nor the store can tell: no stream brings anything new then.
        """
        try:
            found = await self._credentials.find([identity.credential])
        except BpsError:
            return True
        now_ms = self._clock.now_ms()
        return any(each.state(now_ms) == "valid" and each.identity == identity for each in found)

    @contextmanager
    def _failures_counted(self, request: HTTPConnection) -> Iterator[None]:
        """Count after the fact: a valid token comes in from an address where others fail.

        Where the look-up reads the store, count first and take it back: else unknown tokens would
        cost reads without a limit. Not so for a token that was valid when it was last looked up: a
        slow store must not shut its owner out.
        """
        address = request.client.host if request.client else ""
        first = not self._credentials.in_memory and not self._was_valid(request)
        if first:
            self._rates.refused(address)
        failed = False
        try:
            yield
        except Unauthenticated:
            failed = True
            if not first:
                self._rates.refused(address)
            raise
        finally:
            if first and not failed:
                self._rates.forgiven(address)

    def _was_valid(self, request: HTTPConnection) -> bool:
        try:
            token = bearer_token(request.headers.getlist("authorization"))
        except BpsError:
            return False
        if token is None:
            return False
        remembered = self._credentials.remembered(token.credential)
        return by_token(token, remembered, self._clock.now_ms()) is not None

    async def _authenticate(self, request: HTTPConnection) -> Credential:
        token = bearer_token(request.headers.getlist("authorization"))
        peer = peer_certificate(request)
        names = names_of(peer) if peer else []
        if token is None and not names:
            raise absent()
        wanted = [] if token is None else [token.credential]
        found = await self._credentials.find([*wanted, *map(credential_of, names)])
        now_ms = self._clock.now_ms()
        certified = by_certificate([one for one in found if one.certificate_name in names], now_ms)
        if token is None:
            if certified is None:
                raise refusal().advising(
                    "Let an operator register a name of your certificate: `bps token create WHO "
                    "--role ROLE --certificate-name NAME`; or send a token."
                )
            return certified
        return self._with_token(token, found, certified, now_ms)

    @staticmethod
    def _with_token(
        token: Token, found: list[Credential], certified: Credential | None, now_ms: int
    ) -> Credential:
        """The token's credential, unless a registered certificate is another principal's."""
        named = next((each for each in found if each.id == token.credential), None)
        valid = by_token(token, named, now_ms)
        if valid is None or (certified is not None and certified.principal != valid.principal):
            raise refusal()
        return valid


def peer_certificate(request: HTTPConnection) -> Mapping[str, Any] | None:
    """The verified client certificate of the connection, as `ssl.SSLObject.getpeercert()` has it.

    The transport puts it at `extensions.tls.peer_certificate` of the scope.
    """
    tls = request.scope.get("extensions", {}).get("tls")
    return tls.get("peer_certificate") if isinstance(tls, Mapping) else None
