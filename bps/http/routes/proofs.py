"""Proofs: is the log what was once written, and is the state what the log says?"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from bps.checkpoints.accepted import naming_rollbacks
from bps.checkpoints.proof import witnesses
from bps.core.errors import (
    BadSignature,
    ChainBroken,
    Compacted,
    DigestMismatch,
    InvalidInput,
    ReceiptRefuted,
    ReplayDiverged,
    TooManyProofs,
)
from bps.core.ports import Store
from bps.http.answers import answer
from bps.http.connected import while_connected
from bps.http.documented import read, refuses
from bps.http.pages import digits
from bps.http.parameters import PlanId
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.plans.results import Receipt
from bps.replay.replay import Replayed, replay
from bps.replay.verify import Verified, verify

ROUTER = router("proofs")

_HASH = re.compile(r"[0-9a-f]{64}")


def _sha256(text: str) -> str:
    if not _HASH.fullmatch(text):
        msg = "it has to be 64 lower-case hexadecimal digits"
        raise ValueError(msg)
    return text


ReceiptSeq = Annotated[
    Annotated[int, Field(ge=1, le=2**63 - 1), BeforeValidator(digits)] | None,
    Query(description="`seq` of a receipt that the log has to hold."),
]
ReceiptHash = Annotated[
    Annotated[str, AfterValidator(_sha256)] | None,
    Query(
        description="`hash` of that receipt.", json_schema_extra={"pattern": f"^{_HASH.pattern}$"}
    ),
]


@ROUTER.get(
    "/plans/{plan}/verification",
    response_model=Verified,
    responses=read("The log verifies, and holds the receipt if one was given."),
    openapi_extra=asks(
        Operation.PROOF_RUN,
        **refuses(
            BadSignature, ChainBroken, DigestMismatch, Compacted, ReceiptRefuted, TooManyProofs
        ),
    ),
)
async def verify_plan(
    request: Request,
    plan: PlanId,
    receipt_seq: ReceiptSeq = None,
    receipt_hash: ReceiptHash = None,
) -> Response:
    """Check a plan's event log from its first event to its last, its blobs, its checkpoint."""
    if (receipt_seq is None) != (receipt_hash is None):
        raise InvalidInput("A receipt is receipt_seq and receipt_hash together.", field="receipt")
    receipt = None
    if receipt_seq is not None:
        receipt = Receipt.model_validate({"plan": plan, "seq": receipt_seq, "hash": receipt_hash})
    service = service_of(request)
    with service.proofs.held(plan):
        verified = await while_connected(request, _verified(service.sidecar.store, plan, receipt))
    return answer(verified, revision=verified.revision)


@ROUTER.get(
    "/plans/{plan}/replay",
    response_model=Replayed,
    responses=read("The state rebuilt from the events equals the stored one."),
    openapi_extra=asks(
        Operation.PROOF_RUN, **refuses(ChainBroken, ReplayDiverged, Compacted, TooManyProofs)
    ),
)
async def replay_plan(request: Request, plan: PlanId) -> Response:
    """Rebuild a plan's state from its events alone and compare each stored record with it."""
    service = service_of(request)
    with service.proofs.held(plan):
        replayed = await while_connected(request, replay(service.sidecar.store, plan))
    return answer(replayed, revision=replayed.revision)


async def _verified(store: Store, plan: str, receipt: Receipt | None) -> Verified:
    async with naming_rollbacks(store, plan, receipt=receipt is not None):
        claims = await witnesses(store, plan)
        return await verify(store, plan, receipt, claims)
