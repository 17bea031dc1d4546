"""Plans, their canonical version, and their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from bps.api.origins import OriginsView
from bps.api.pages import PageOf, ReadablePageOf
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
from bps.http.reading import RequestReading
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.plans.model import Plan, Version
from bps.plans.origins import origins_of
from bps.plans.pages import plans_page, versions_page
from bps.plans.read import plan_detail, version_detail
from bps.plans.register import RegisterPlan
from bps.plans.results import PlanResult
from bps.sidecar.degraded import Reading

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
    response_model=ReadablePageOf[Plan],
    responses=read("Plans in the order of their ids as text."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def list_plans(
    reading: RequestReading, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List plans."""
    last = after(cursor, "plans", ids.plan_id)
    found = await plans_page(reading, after=last, limit=limit)
    return answer_page(
        found.items,
        listing="plans",
        last=found.last if found.more else None,
        revision=found.revision,
        reading=reading,
        unreadable=found.unreadable,
    )


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
    responses=read("The plan, its canonical version, the end of its log and its open review."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def show_plan(reading: RequestReading, plan: PlanId) -> Response:
    """Show a plan."""
    detail = await plan_detail(reading, plan, with_review=True)
    return answer(PlanView.of(detail), revision=detail.revision, reading=reading)


@ROUTER.get(
    "/plans/{plan}/canonical",
    response_model=Version,
    responses=read("The canonical version.", etag=True),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def show_canonical(request: Request, reading: RequestReading, plan: PlanId) -> Response:
    """Show the canonical version, from memory where it is known; `no-cache` reads the store."""
    versions = service_of(request).sidecar.canonical
    known = await versions.get(plan, fresh=_asks_fresh(request), reading=reading)
    version = known.version
    unchanged = unless_known(request, version.etag, known.revision, reading)
    return unchanged or answer(version, etag=version.etag, revision=known.revision, reading=reading)


@ROUTER.get(
    "/plans/{plan}/canonical/blueprint",
    response_class=Response,
    responses=blueprint_read("The bytes of the canonical blueprint."),
    openapi_extra=asks(Operation.PLAN_READ, **refuses(DigestMismatch)),
)
async def canonical_blueprint(request: Request, reading: RequestReading, plan: PlanId) -> Response:
    """Get the canonical blueprint."""
    versions = service_of(request).sidecar.canonical
    known = await versions.get(plan, fresh=_asks_fresh(request), reading=reading)
    return await _blueprint(request, reading, known.version, known.revision)


@ROUTER.get(
    "/plans/{plan}/versions",
    response_model=PageOf[Version],
    responses=read("Canonical versions, oldest first."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def list_versions(
    reading: RequestReading, plan: PlanId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List the canonical versions of a plan."""
    listing = f"versions/{plan}"
    found = await versions_page(reading, plan, after=after(cursor, listing, int), limit=limit)
    following = str(found.items[-1].version) if found.more else None
    return answer_page(
        found.items, listing=listing, last=following, revision=found.revision, reading=reading
    )


@ROUTER.get(
    "/plans/{plan}/versions/{version}",
    response_model=Version,
    responses=read("The version.", etag=True),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def show_version(
    request: Request, reading: RequestReading, plan: PlanId, version: VersionNumber
) -> Response:
    """Show one version."""
    found = await version_detail(reading, plan, version)
    unchanged = unless_known(request, found.version.etag, found.revision, reading)
    return unchanged or answer(
        found.version, etag=found.version.etag, revision=found.revision, reading=reading
    )


@ROUTER.get(
    "/plans/{plan}/versions/{version}/blueprint",
    response_class=Response,
    responses=blueprint_read("The bytes of that version's blueprint."),
    openapi_extra=asks(Operation.PLAN_READ, **refuses(DigestMismatch)),
)
async def version_blueprint(
    request: Request, reading: RequestReading, plan: PlanId, version: VersionNumber
) -> Response:
    """Get the blueprint of one version."""
    found = await version_detail(reading, plan, version)
    return await _blueprint(request, reading, found.version, found.revision)


@ROUTER.get(
    "/plans/{plan}/versions/{version}/origins",
    response_model=OriginsView,
    responses=read("What came from where in that version, by path.", etag=True),
    openapi_extra=asks(Operation.PLAN_READ, **refuses(DigestMismatch)),
)
async def version_origins(
    request: Request, reading: RequestReading, plan: PlanId, version: VersionNumber
) -> Response:
    """Show what of a version came from whom, as it was stored with the promotion."""
    found = await version_detail(reading, plan, version)
    named = found.version
    unchanged = unless_known(request, named.etag, found.revision, reading)
    if unchanged is not None:
        return unchanged
    report = None
    if named.origins is not None:
        report = await service_of(request).sidecar.blueprints.get(reading, plan, named.origins)
    view = OriginsView.of(await origins_of(reading, named, report))
    return answer(view, etag=named.etag, revision=found.revision, reading=reading)


async def _blueprint(
    request: Request, reading: Reading, version: Version, revision: int
) -> Response:
    unchanged = unless_known(request, version.etag, revision, reading)
    if unchanged is not None:
        return unchanged
    blueprints = service_of(request).sidecar.blueprints
    content = await blueprints.get(reading, version.plan, version.digest)
    return blueprint_answer(content, etag=version.etag, revision=revision, reading=reading)


def _asks_fresh(request: Request) -> bool:
    """Whether the caller wants it from the store itself (RFC 9111, 5.2.1.4)."""
    directives = request.headers.get("cache-control")
    if directives is None:
        return False
    return "no-cache" in {each.strip().lower() for each in directives.split(",")}
