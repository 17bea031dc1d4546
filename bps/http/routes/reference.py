"""The reference page and the pages of problem types: static, for everybody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from bps.api.views import ExplanationView
from bps.core.error_catalogue import Explanation, catalogue
from bps.core.errors import NotAcceptable, RouteNotFound
from bps.http.accept import negotiated
from bps.http.answers import answer, answer_list
from bps.http.documented import refuses
from bps.http.problems import shown
from bps.http.reference.operations import reference
from bps.http.reference.problem_pages import problem_index, problem_page
from bps.http.reference.style import HEADERS
from bps.http.routing import operation_name

ROUTER = APIRouter(tags=["reference"], generate_unique_id_function=operation_name)

HTML = "text/html"
_JSON = "application/json"
_OFFERED = (_JSON, HTML)
_VARY = {"Vary": "Accept"}
_PAGE = {"content": {HTML: {"schema": {"type": "string"}}}}


@ROUTER.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The reference as HTML; made once."""
    state = request.app.state
    if not hasattr(state, "reference"):
        state.reference = reference(request.app.openapi())
    return Response(state.reference, headers=HEADERS, media_type=HTML)


@ROUTER.get(
    "/problems",
    response_model=list[ExplanationView],
    responses={200: {"description": "All codes, as JSON or HTML.", **_PAGE}},
    openapi_extra=refuses(NotAcceptable),
)
async def list_problems(request: Request) -> Response:
    """List the codes that problems can have."""
    if _wants_html(request):
        return Response(problem_index(), headers={**HEADERS, **_VARY}, media_type=HTML)
    return answer_list([ExplanationView.of(row) for row in catalogue().values()], headers=_VARY)


@ROUTER.get(
    "/problems/{slug}",
    response_model=ExplanationView,
    responses={200: {"description": "What the code means, as JSON or HTML.", **_PAGE}},
    openapi_extra=refuses(RouteNotFound, NotAcceptable),
)
async def show_problem(
    request: Request,
    slug: Annotated[
        str,
        Path(
            description="The code in lower case, with hyphens.",
            examples=["merge-conflict"],
            json_schema_extra={"pattern": "^[a-z-]{1,64}$"},
        ),
    ],
) -> Response:
    """Explain one code."""
    row = _row(slug)
    if _wants_html(request):
        return Response(problem_page(row), headers={**HEADERS, **_VARY}, media_type=HTML)
    return answer(ExplanationView.of(row), headers=_VARY)


def _wants_html(request: Request) -> bool:
    """Raises NotAcceptable."""
    return negotiated(",".join(request.headers.getlist("accept")), _OFFERED) == HTML


def _row(slug: str) -> Explanation:
    for row in catalogue().values():
        if row.problem_type == f"/problems/{slug}":
            return row
    raise RouteNotFound(f"There is no problem {shown(slug)}; /problems lists all.")
