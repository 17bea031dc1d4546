"""Plans, their canonical version, and their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from bps.api.pages import PageOf
from bps.api.requests import ONE_LINE_FORM, one_line
from bps.api.views import PlanView
from bps.core import ids
from bps.core.errors import DigestMismatch, Exists, InvalidBlueprint, LimitExceeded, NotFound
from bps.core.text import MAX_LINE
from bps.http.answers import answer, answer_page, blueprint_answer, unless_known
from bps.http.documented import blueprint_read, example, read, refuses, written, yaml_body
from bps.http.execute import CREATED, OperationId, execute, principal_of
from bps.http.intake import CheckedBlueprint
from bps.http.pages import DEFAULT_LIMIT, Cursor, Limit, after
from bps.http.parameters import PlanId, VersionNumber
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.plans.model import Plan, Version
from bps.plans.pages import plans_page, versions_page
from bps.plans.read import blueprint, plan_detail, version_detail
from bps.plans.register import RegisterPlan
from bps.plans.results import PlanResult

ROUTER = router("plans")

Initiative = Annotated[
    str,
    AfterValidator(ids.initiative_id),
    Query(
        description="The initiative it belongs to.",
        json_schema_extra={"pattern": f"^{ids.INITIATIVE_FORM}$", "example": "default"},
    ),
]
Title = Annotated[
    str,
    AfterValidator(one_line),
    Query(
        max_length=MAX_LINE,
        description="One line for people.",
        json_schema_extra={"pattern": ONE_LINE_FORM, "example": "Checkout service"},
    ),
]


@ROUTER.get(
    "/plans",
    response_model=PageOf[Plan],
    responses=read("Plans in the order of their ids as text."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def list_plans(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List plans."""
    last = after(cursor, "plans", ids.plan_id)
    found = await plans_page(service_of(request).sidecar.store, after=last, limit=limit)
    following = found.items[-1].plan if found.more else None
    return answer_page(found.items, listing="plans", last=following, revision=found.revision)


@ROUTER.put(
    "/plans/{plan}",
    status_code=CREATED,
    response_model=PlanResult,
    response_description="Registered; its blueprint is canonical version 1.",
    responses=written(PlanResult, "The very same plan is registered already."),
    openapi_extra=asks(
        Operation.PLAN_REGISTER,
        **yaml_body(),
        **example(query={"title": "Checkout service"}),
        **refuses(Exists, InvalidBlueprint, LimitExceeded, NotFound),
    ),
)
async def register_plan(
    request: Request,
    plan: PlanId,
    op_id: OperationId,
    content: CheckedBlueprint,
    *,
    initiative: Initiative = "default",
    title: Title = "",
) -> Response:
    """Register a plan and seal it; its blueprint becomes canonical version 1."""
    command = RegisterPlan(principal_of(request), op_id, plan, initiative, title, content)
    return await execute(request, command, created=lambda result: result.receipt is not None)


@ROUTER.get(
    "/plans/{plan}",
    response_model=PlanView,
    responses=read("The plan, its canonical version and the end of its log."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def show_plan(request: Request, plan: PlanId) -> Response:
    """Show a plan."""
    detail = await plan_detail(service_of(request).sidecar.store, plan)
    return answer(PlanView.of(detail), revision=detail.revision)


@ROUTER.get(
    "/plans/{plan}/canonical",
    response_model=Version,
    responses=read("The canonical version.", etag=True),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def show_canonical(request: Request, plan: PlanId) -> Response:
    """Show the canonical version, from memory where it is known; `no-cache` reads the store."""
    known = await service_of(request).sidecar.canonical.get(plan, fresh=_asks_fresh(request))
    version = known.version
    unchanged = unless_known(request, version.etag, known.revision)
    return unchanged or answer(version, etag=version.etag, revision=known.revision)


@ROUTER.get(
    "/plans/{plan}/canonical/blueprint",
    response_class=Response,
    responses=blueprint_read("The bytes of the canonical blueprint."),
    openapi_extra=asks(Operation.PLAN_READ, **refuses(DigestMismatch)),
)
async def canonical_blueprint(request: Request, plan: PlanId) -> Response:
    """Get the canonical blueprint."""
    sidecar = service_of(request).sidecar
    known = await sidecar.canonical.get(plan, fresh=_asks_fresh(request))
    return await _blueprint(request, known.version, known.revision)


@ROUTER.get(
    "/plans/{plan}/versions",
    response_model=PageOf[Version],
    responses=read("Canonical versions, oldest first."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def list_versions(
    request: Request, plan: PlanId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List the canonical versions of a plan."""
    store, listing = service_of(request).sidecar.store, f"versions/{plan}"
    found = await versions_page(store, plan, after=after(cursor, listing, int), limit=limit)
    following = str(found.items[-1].version) if found.more else None
    return answer_page(found.items, listing=listing, last=following, revision=found.revision)


@ROUTER.get(
    "/plans/{plan}/versions/{version}",
    response_model=Version,
    responses=read("The version.", etag=True),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def show_version(request: Request, plan: PlanId, version: VersionNumber) -> Response:
    """Show one version."""
    found = await version_detail(service_of(request).sidecar.store, plan, version)
    unchanged = unless_known(request, found.version.etag, found.revision)
    return unchanged or answer(found.version, etag=found.version.etag, revision=found.revision)


@ROUTER.get(
    "/plans/{plan}/versions/{version}/blueprint",
    response_class=Response,
    responses=blueprint_read("The bytes of that version's blueprint."),
    openapi_extra=asks(Operation.PLAN_READ, **refuses(DigestMismatch)),
)
async def version_blueprint(request: Request, plan: PlanId, version: VersionNumber) -> Response:
    """Get the blueprint of one version."""
    found = await version_detail(service_of(request).sidecar.store, plan, version)
    return await _blueprint(request, found.version, found.revision)


async def _blueprint(request: Request, version: Version, revision: int) -> Response:
    unchanged = unless_known(request, version.etag, revision)
    if unchanged is not None:
        return unchanged
    content = await blueprint(service_of(request).sidecar.store, version.plan, version.digest)
    return blueprint_answer(content, etag=version.etag, revision=revision)


def _asks_fresh(request: Request) -> bool:
    """Whether the caller wants it from the store itself (RFC 9111, 5.2.1.4)."""
    directives = request.headers.get("cache-control")
    if directives is None:
        return False
    return "no-cache" in {each.strip().lower() for each in directives.split(",")}
