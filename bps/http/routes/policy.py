"""The policy in force: read it, or put another one in its place."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from bps.api.requests import PolicyRequest
from bps.core.codec import sha256_hex
from bps.core.errors import PluginError, PreconditionFailed, PreconditionRequired
from bps.http.answers import ETAG_HEADER, answer, outcome_answer, unless_known
from bps.http.documented import example, read, refuses, written
from bps.http.etags import need_if_match
from bps.http.execute import OK, OperationId, carry_out, principal_of
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.policy.model import Policy
from bps.policy.read import policy_in_force
from bps.policy.replace import ReplacePolicy
from bps.validation.usable import check_usable
from bps.writepath.precondition import IfMatch

ROUTER = router("policy")


@ROUTER.get(
    "/policy",
    response_model=Policy,
    responses=read("The policy in force.", etag=True),
    openapi_extra=asks(Operation.POLICY_READ),
)
async def show_policy(request: Request) -> Response:
    """Show the policy in force."""
    found = await policy_in_force(service_of(request).sidecar.reads)
    etag = found.in_force.etag
    unchanged = unless_known(request, etag, found.revision)
    return unchanged or answer(found.in_force.policy, etag=etag, revision=found.revision)


@ROUTER.put(
    "/policy",
    response_model=Policy,
    response_description="The policy that is in force now.",
    responses=written(Policy, headers=ETAG_HEADER),
    openapi_extra=asks(
        Operation.POLICY_REPLACE,
        **refuses(PluginError, PreconditionFailed, PreconditionRequired),
        **example(etag_of="/v1/policy"),
    ),
)
async def replace_policy(
    request: Request,
    op_id: OperationId,
    seen: Annotated[IfMatch, Depends(need_if_match)],
    wanted: PolicyRequest,
) -> Response:
    """Put a whole policy in force as the next version; it never overwrites an unseen one."""
    await check_usable(wanted.validators)
    command = ReplacePolicy(principal_of(request), op_id, wanted.rules, wanted.n, seen)
    outcome = await carry_out(request, command)
    policy = outcome.result
    etag = f"{policy.n}-{sha256_hex(policy.encode())}"
    return outcome_answer(outcome, status=OK, etag=etag)
