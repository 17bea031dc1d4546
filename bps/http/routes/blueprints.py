"""Blueprints by their digest: what every version and RR-plan of a plan names."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from bps.core.codec import sha256_hex
from bps.core.errors import DigestMismatch, NotFound
from bps.http.answers import blueprint_answer, unless_known
from bps.http.documented import EXAMPLE_BLUEPRINT, blueprint_read, refuses
from bps.http.parameters import PlanId
from bps.http.reading import RequestReading
from bps.http.routing import asks, router
from bps.identity.roles import Operation
from bps.plans.read import blueprint_if_stored

ROUTER = router("plans")

_DIGEST = re.compile(r"[0-9a-f]{64}")


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        msg = "it has to be a SHA-256, 64 lower-case hexadecimal digits"
        raise ValueError(msg)
    return text


Digest = Annotated[
    str,
    AfterValidator(_digest),
    Path(
        description="SHA-256 of the blueprint's bytes.",
        examples=[sha256_hex(EXAMPLE_BLUEPRINT.encode())],
        json_schema_extra={"pattern": "^[0-9a-f]{64}$"},
    ),
]


@ROUTER.get(
    "/plans/{plan}/blueprints/{digest}",
    response_class=Response,
    responses=blueprint_read("The bytes with this digest."),
    openapi_extra=asks(Operation.PLAN_READ, **refuses(DigestMismatch)),
)
async def blueprint_by_digest(
    request: Request, reading: RequestReading, plan: PlanId, digest: Digest
) -> Response:
    """Get the blueprint with a digest that a record of the plan names."""
    found = await blueprint_if_stored(reading, plan, digest)
    if found is None:
        raise NotFound(f"{plan} has no blueprint {digest}.", plan=plan, digest=digest)
    content, revision = found
    unchanged = unless_known(request, digest, revision, reading)
    return unchanged or blueprint_answer(content, etag=digest, revision=revision, reading=reading)
