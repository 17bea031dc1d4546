"""Credentials over HTTP: listed, made, rotated, revoked, pruned. A secret is in one answer only."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from bps.api.issuing import creation, issued, new_secret
from bps.api.pages import PageOf
from bps.api.tokens import (
    IssuedToken,
    PruningRequest,
    RevocationRequest,
    RotationRequest,
    TokenRequest,
    TokenView,
    token_rows,
)
from bps.core.errors import Exists, LimitExceeded, NotFound, WrongState
from bps.http.answers import answer_page, outcome_answer
from bps.http.documented import created, example, read, refuses, written
from bps.http.execute import CREATED, OK, OperationId, carry_out, principal_of
from bps.http.pages import DEFAULT_LIMIT, Cursor, Limit, after
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.credential import credential_id
from bps.identity.end import RevokeToken, RotateToken
from bps.identity.prune import Pruning, prune_command
from bps.identity.read import credentials_page
from bps.identity.roles import Operation
from bps.identity.token_text import Token
from bps.leadership.modes import Reason

ROUTER = router("tokens")
_LISTING = "tokens"
_NO_STORE = {"Cache-Control": "no-store"}
_WITHOUT_ROOM = frozenset({Reason.NO_SPACE})
"""What ends or removes credentials is not held up by a store that is nearly full."""

TokenId = Annotated[
    str,
    AfterValidator(credential_id),
    Path(
        description="A credential's id.",
        examples=["0123456789abcdef"],
        json_schema_extra={"pattern": "^[0-9a-f]{16}$"},
    ),
]
"""Raises InvalidId."""


@ROUTER.get(
    "/tokens",
    response_model=PageOf[TokenView],
    responses=read("Credentials by their ids, the ended ones too."),
    openapi_extra=asks(Operation.TOKEN_READ),
)
async def list_tokens(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List credentials; never a secret or its digest.

    One whose record cannot be read has the state `unreadable`, and lets nobody in.
    """
    sidecar = service_of(request).sidecar
    start = after(cursor, _LISTING, credential_id) or ""
    page = await credentials_page(sidecar.reads, start, limit)
    now_ms = sidecar.clock.now_ms()
    views = token_rows(page, now_ms)
    return answer_page(views, listing=_LISTING, last=page.last, revision=page.revision)


@ROUTER.post(
    "/tokens",
    status_code=CREATED,
    response_model=IssuedToken,
    response_description="Made; a secret is in this answer only.",
    responses=created(),
    openapi_extra=asks(
        Operation.TOKEN_WRITE,
        **refuses(Exists, LimitExceeded),
        **example(body={"principal": "agent-7", "roles": ["agent"]}),
    ),
)
async def create_token(request: Request, wanted: TokenRequest, op_id: OperationId) -> Response:
    """Make a credential: a bearer token, or a name in client certificates.

    Repeated with the same Idempotency-Key, the answer has no secret: if the first one was lost,
    revoke the credential and make another.
    """
    sidecar = service_of(request).sidecar
    token = Token.generate()
    outcome = await carry_out(request, creation(wanted, principal_of(request), op_id, token))
    sidecar.credentials.wrote(outcome.revision, outcome.result)
    result = issued(outcome.result, token, sidecar.clock.now_ms())
    return _secret(outcome_answer(outcome, status=CREATED, result=result))


@ROUTER.post(
    "/tokens/{token}/rotation",
    status_code=CREATED,
    response_model=IssuedToken,
    response_description="Replaced; the new secret is in this answer only.",
    responses=created(),
    openapi_extra=asks(Operation.TOKEN_WRITE, **refuses(LimitExceeded, NotFound, WrongState)),
)
async def rotate_token(
    request: Request, token: TokenId, op_id: OperationId, wanted: RotationRequest | None = None
) -> Response:
    """Replace a secret: a new credential for the same principal; the old ends after `grace_s`."""
    sidecar = service_of(request).sidecar
    made = Token.generate()
    command = RotateToken(
        principal_of(request),
        op_id,
        credential_id(token),
        new_secret(made),
        0 if wanted is None else wanted.grace_s,
    )
    outcome = await carry_out(request, command)
    sidecar.credentials.wrote(outcome.revision, outcome.result.credential, outcome.result.replaced)
    result = issued(outcome.result.credential, made, sidecar.clock.now_ms())
    return _secret(outcome_answer(outcome, status=CREATED, result=result))


@ROUTER.post(
    "/tokens/{token}/revocation",
    response_model=TokenView,
    response_description="Ended.",
    responses=written(TokenView),
    openapi_extra=asks(Operation.TOKEN_WRITE, **refuses(NotFound, WrongState)),
)
async def revoke_token(
    request: Request,
    token: TokenId,
    op_id: OperationId,
    wanted: RevocationRequest | None = None,  # noqa: ARG001 - an empty object is taken
) -> Response:
    """End a credential: nobody comes in with it any more, its streams end within seconds."""
    sidecar = service_of(request).sidecar
    command = RevokeToken(principal_of(request), op_id, credential_id(token))
    outcome = await carry_out(request, command, despite=_WITHOUT_ROOM)
    sidecar.credentials.wrote(outcome.revision, outcome.result)
    result = TokenView.of(outcome.result, sidecar.clock.now_ms())
    return outcome_answer(outcome, status=OK, result=result)


@ROUTER.post(
    "/tokens/prunings",
    response_model=Pruning,
    response_description="Removed, or nothing was left to remove.",
    responses=written(Pruning),
    openapi_extra=asks(Operation.TOKEN_WRITE),
)
async def prune_tokens(
    request: Request, op_id: OperationId, wanted: PruningRequest | None = None
) -> Response:
    """Remove records of credentials that ended long ago, at most 100; `more` says: ask again.

    Names of revoked certificates are kept for ever.
    """
    sidecar = service_of(request).sidecar
    older_than_s = (wanted or PruningRequest()).older_than_s
    command = await prune_command(
        sidecar.store, principal_of(request), op_id, older_than_s, sidecar.clock.now_ms()
    )
    outcome = await carry_out(request, command, despite=_WITHOUT_ROOM)
    return outcome_answer(outcome, status=OK)


def _secret(response: Response) -> Response:
    """No cache keeps it."""
    response.headers.update(_NO_STORE)
    return response
