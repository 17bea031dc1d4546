"""Branches and their RR-plans."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body
from starlette.requests import Request
from starlette.responses import Response

from bps.api.pages import PageOf
from bps.api.requests import FailRequest, OpenBranchRequest, RebaseRequest
from bps.api.views import BranchView
from bps.core import ids
from bps.core.errors import (
    Ambiguous,
    ClockNullified,
    DigestMismatch,
    InvalidBlueprint,
    LimitExceeded,
    NotFound,
    WrongState,
)
from bps.http.answers import answer, answer_page, blueprint_answer, unless_known
from bps.http.documented import blueprint_read, example, read, refuses, written, yaml_body
from bps.http.execute import CREATED, OperationId, execute, principal_of
from bps.http.intake import CheckedBlueprint
from bps.http.pages import DEFAULT_LIMIT, Cursor, Limit, after
from bps.http.parameters import BranchName, PlanId
from bps.http.reading import RequestReading
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.plans.branches import FailBranch, RebaseBranch, SubmitBranch
from bps.plans.model import RRPlan
from bps.plans.pages import branches_page
from bps.plans.read import rr_plan_detail
from bps.plans.results import BranchResult
from bps.review.open import review_of_waiting

ROUTER = router("branches")

_ON_BRANCH = (NotFound, Ambiguous, WrongState, ClockNullified)
_FIX = "title: Checkout service\ntasks:\n  - id: charge\n    timeout_ms: 900\n"


@ROUTER.get(
    "/plans/{plan}/branches",
    response_model=PageOf[BranchView],
    responses=read("Branches in the order of their ids, each with its newest RR-plan."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def list_branches(
    reading: RequestReading, plan: PlanId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List a plan's branches with their newest RR-plans."""
    listing = f"branches/{plan}"
    last = after(cursor, listing, ids.branch_id)
    found = await branches_page(reading, plan, after=last, limit=limit)
    review = await review_of_waiting(reading, plan, (rr_plan for _, rr_plan in found.items))
    views = [BranchView.of(branch, rr_plan, review) for branch, rr_plan in found.items]
    following = views[-1].branch if found.more else None
    return answer_page(
        views, listing=listing, last=following, revision=found.revision, reading=reading
    )


@ROUTER.post(
    "/plans/{plan}/branches",
    status_code=CREATED,
    response_model=BranchResult,
    response_description="A new RR-plan is open.",
    responses=written(BranchResult, "The cause is known; its open RR-plan was joined."),
    openapi_extra=asks(Operation.BRANCH_OPEN, **refuses(*_ON_BRANCH, LimitExceeded)),
)
async def open_branch(
    request: Request, plan: PlanId, op_id: OperationId, report: OpenBranchRequest
) -> Response:
    """Open a branch for a root cause, or join the one that is open for it."""
    command = report.command(principal_of(request), op_id, plan)
    return await execute(request, command, created=lambda result: result.act == "opened")


@ROUTER.get(
    "/plans/{plan}/branches/{branch}",
    response_model=RRPlan,
    responses=read("The RR-plan named, or the branch's newest one."),
    openapi_extra=asks(Operation.PLAN_READ, **refuses(Ambiguous)),
)
async def show_branch(reading: RequestReading, plan: PlanId, branch: BranchName) -> Response:
    """Show an RR-plan: the newest of a branch, or the one whose id is given."""
    ref = ids.BranchRef.parse(plan, branch)
    found = await rr_plan_detail(reading, plan, ref)
    return answer(found.rr_plan, revision=found.revision, reading=reading)


@ROUTER.get(
    "/plans/{plan}/branches/{branch}/blueprint",
    response_class=Response,
    responses=blueprint_read("The bytes that were submitted."),
    openapi_extra=asks(Operation.PLAN_READ, **refuses(Ambiguous, DigestMismatch)),
)
async def submitted_blueprint(
    request: Request, reading: RequestReading, plan: PlanId, branch: BranchName
) -> Response:
    """Get the blueprint that was submitted to an RR-plan."""
    ref = ids.BranchRef.parse(plan, branch)
    found = await rr_plan_detail(reading, plan, ref)
    digest = found.rr_plan.digest
    if digest is None:
        msg = f"Nothing was submitted to {found.rr_plan.rr_plan}."
        raise NotFound(msg, rr_plan=found.rr_plan.rr_plan)
    unchanged = unless_known(request, digest, found.revision, reading)
    if unchanged is not None:
        return unchanged
    blueprints = service_of(request).sidecar.blueprints
    content = await blueprints.get(reading, plan, digest)
    return blueprint_answer(content, etag=digest, revision=found.revision, reading=reading)


@ROUTER.post(
    "/plans/{plan}/branches/{branch}/submission",
    response_model=BranchResult,
    response_description="The RR-plan has succeeded, or had this very submission.",
    responses=written(BranchResult),
    openapi_extra=asks(
        Operation.BRANCH_SUBMIT,
        **yaml_body(_FIX),
        **refuses(*_ON_BRANCH, InvalidBlueprint, LimitExceeded),
    ),
)
async def submit_branch(
    request: Request,
    plan: PlanId,
    branch: BranchName,
    op_id: OperationId,
    content: CheckedBlueprint,
) -> Response:
    """Submit the repaired blueprint of an open RR-plan; it has then SUCCEEDED."""
    ref = ids.BranchRef.parse(plan, branch)
    command = SubmitBranch(principal_of(request), op_id, plan, ref, content)
    return await execute(request, command)


@ROUTER.post(
    "/plans/{plan}/branches/{branch}/failure",
    response_model=BranchResult,
    response_description="It and its live descendants are obsolete.",
    responses=written(BranchResult),
    openapi_extra=asks(
        Operation.BRANCH_FAIL, **refuses(*_ON_BRANCH), **example(path={"branch": "br1f5dbf5c"})
    ),
)
async def fail_branch(
    request: Request, plan: PlanId, branch: BranchName, op_id: OperationId, why: FailRequest
) -> Response:
    """Give an RR-plan up; it and its live descendants become obsolete."""
    ref = ids.BranchRef.parse(plan, branch)
    return await execute(request, FailBranch(principal_of(request), op_id, plan, ref, why.reason))


@ROUTER.post(
    "/plans/{plan}/branches/{branch}/rebase",
    status_code=CREATED,
    response_model=BranchResult,
    response_description="The branch's next RR-plan is open; the one before is superseded.",
    responses=written(BranchResult, "Its base is canonical still; nothing was done."),
    openapi_extra=asks(
        Operation.BRANCH_REBASE,
        **refuses(*_ON_BRANCH, LimitExceeded),
        **example(path={"branch": "br1f5dbf5c"}),
    ),
)
async def rebase_branch(
    request: Request,
    plan: PlanId,
    branch: BranchName,
    op_id: OperationId,
    _nothing: Annotated[RebaseRequest | None, Body()] = None,
) -> Response:
    """Open a branch's next revision on today's canonical version."""
    ref = ids.BranchRef.parse(plan, branch)
    command = RebaseBranch(principal_of(request), op_id, plan, ref)
    return await execute(request, command, created=lambda result: result.act == "rebased")
