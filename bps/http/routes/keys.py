"""The key registry over HTTP: listed and changed, and what holders sign to approve a change."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from bps.api.keys import (
    KeyRequest,
    KeyRevocationRequest,
    KeyRotationRequest,
    KeyView,
    StatementRequest,
    approvals_in,
    checked_comment,
    distinct_purposes,
    key_id_text,
    key_view_rows,
    statement_for,
)
from bps.api.pages import PageOf
from bps.core import ids
from bps.core.errors import (
    ApprovalsMissing,
    Exists,
    LimitExceeded,
    NotFound,
    WrongState,
)
from bps.http.answers import answer, answer_page, outcome_answer
from bps.http.documented import created, example, read, refuses, written
from bps.http.execute import CREATED, OK, OperationId, carry_out, principal_of
from bps.http.pages import DEFAULT_LIMIT, Cursor, Limit, after
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.keyring.change import AddKey, RevokeKey, RotateKey
from bps.keyring.model import KeyResult, KeyStatement
from bps.keyring.public_key import PublicKey
from bps.keyring.read import all_keys, read_registry

ROUTER = router("keys")
_LISTING = "keys"
_KEY, _KEY_ID = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "630dcd2966c43366"
_NEXT_KEY, _NEXT_KEY_ID = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", "ae216c2ef5247a37"
"""Of the examples: keys that nobody holds, and their ids."""

KeyIdPath = Annotated[
    str,
    AfterValidator(key_id_text),
    Path(
        description="A key's id.",
        examples=["0123456789abcdef"],
        json_schema_extra={"pattern": "^[0-9a-f]{16}$"},
    ),
]
"""Raises InvalidId."""


@ROUTER.get(
    "/keys",
    response_model=PageOf[KeyView],
    responses=read("Keys by their ids, the revoked ones too."),
    openapi_extra=asks(Operation.KEY_READ),
)
async def list_keys(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List the registered public keys.

    One whose record cannot be read has the state `unreadable`, and `comment` says why.
    """
    start = after(cursor, _LISTING, key_id_text) or ""
    found = await all_keys(service_of(request).sidecar.reads)
    later = [row for row in key_view_rows(found) if row.key_id > start]
    page = later[:limit]
    last = page[-1].key_id if len(later) > limit else None
    return answer_page(page, listing=_LISTING, last=last, revision=found.revision)


@ROUTER.post(
    "/keys",
    status_code=CREATED,
    response_model=KeyResult,
    response_description="Registered.",
    responses=created(),
    openapi_extra=asks(
        Operation.KEY_WRITE,
        **refuses(ApprovalsMissing, Exists, LimitExceeded),
        **example(
            body={
                "public_key": _KEY,
                "holder": "example-only",
                "purposes": ["vote"],
                "comment": "an example: nobody may rely on this key",
            }
        ),
    ),
)
async def add_key(request: Request, wanted: KeyRequest, op_id: OperationId) -> Response:
    """Register a public key. From three holders on, a majority of them has to approve."""
    key = PublicKey.parse(wanted.public_key)
    command = AddKey(
        principal_of(request),
        op_id,
        key,
        ids.principal(wanted.holder),
        distinct_purposes(wanted.purposes),
        checked_comment(wanted.comment, key),
        approvals_in(wanted.approvals),
    )
    return outcome_answer(await carry_out(request, command), status=CREATED)


@ROUTER.post(
    "/keys/{key_id}/rotation",
    status_code=CREATED,
    response_model=KeyResult,
    response_description="Replaced.",
    responses=created(),
    openapi_extra=asks(
        Operation.KEY_WRITE,
        **refuses(ApprovalsMissing, Exists, LimitExceeded, NotFound, WrongState),
        **example(path={"key_id": _KEY_ID}, body={"public_key": _NEXT_KEY}),
    ),
)
async def rotate_key(
    request: Request, key_id: KeyIdPath, wanted: KeyRotationRequest, op_id: OperationId
) -> Response:
    """Put a new key in the place of one, which is revoked; holder and purposes stay."""
    key = PublicKey.parse(wanted.public_key)
    command = RotateKey(
        principal_of(request),
        op_id,
        key_id,
        key,
        checked_comment(wanted.comment, key),
        approvals_in(wanted.approvals),
    )
    return outcome_answer(await carry_out(request, command), status=CREATED)


@ROUTER.post(
    "/keys/{key_id}/revocation",
    response_model=KeyResult,
    response_description="Revoked.",
    responses=written(KeyResult),
    openapi_extra=asks(
        Operation.KEY_WRITE,
        **refuses(ApprovalsMissing, NotFound, WrongState),
        **example(path={"key_id": _NEXT_KEY_ID}, body={}),
    ),
)
async def revoke_key(
    request: Request,
    key_id: KeyIdPath,
    op_id: OperationId,
    wanted: KeyRevocationRequest | None = None,
) -> Response:
    """Let a key sign nothing any more; what it signed before stays verifiable."""
    approvals = approvals_in(wanted.approvals) if wanted is not None else ()
    command = RevokeKey(principal_of(request), op_id, key_id, approvals)
    return outcome_answer(await carry_out(request, command), status=OK)


@ROUTER.post(
    "/keys/statements",
    response_model=KeyStatement,
    response_description="The statement; holders sign it with `bps keys sign`.",
    openapi_extra=asks(
        Operation.KEY_READ,
        **refuses(NotFound, WrongState),
        **example(body={"action": "revoke", "key_id": _KEY_ID}),
    ),
)
async def key_statement(request: Request, wanted: StatementRequest) -> Response:
    """What holders sign to approve a change, as the registry is now; nothing is written."""
    sidecar = service_of(request).sidecar
    registry = await read_registry(sidecar.store)
    return answer(statement_for(wanted, registry, sidecar.clock.now_ms()))
