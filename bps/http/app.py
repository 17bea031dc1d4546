"""The ASGI application: routes, problems, documents; middleware lives in its own modules."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from bps.http.metrics import RequestMetrics
from bps.http.middleware import Edge, Observer
from bps.http.openapi import describe
from bps.http.problems import add_problem_handlers
from bps.http.routes import (
    blueprints,
    branches,
    checkpoints,
    doctor,
    events,
    health,
    identity,
    initiatives,
    keys,
    metrics,
    mode,
    plans,
    policy,
    promotions,
    proofs,
    reference,
    reviews,
    rollbacks,
    tokens,
)
from bps.http.service import Service
from bps.http.telemetry import ServerSpans, SpanScope

_ROUTERS = (
    promotions.ROUTER,
    reviews.ROUTER,
    branches.ROUTER,
    plans.ROUTER,
    blueprints.ROUTER,
    health.ROUTER,
    metrics.ROUTER,
    identity.ROUTER,
    initiatives.ROUTER,
    tokens.ROUTER,
    proofs.ROUTER,
    policy.ROUTER,
    mode.ROUTER,
    keys.ROUTER,
    checkpoints.ROUTER,
    rollbacks.ROUTER,
    doctor.ROUTER,
    events.ROUTER,
    reference.ROUTER,
)
"""In the order in which their paths are tried: the busiest first."""


class _Application(FastAPI):
    """FastAPI without its three outer layers: `Edge` is the last resort, ours bound the bodies."""

    def build_middleware_stack(self) -> ASGIApp:
        """The layers around the router, outermost last."""
        stack: ASGIApp = ExceptionMiddleware(
            AsyncExitStackMiddleware(self.router), handlers=self.exception_handlers
        )
        for layer in reversed(self.user_middleware):
            stack = layer.cls(stack, *layer.args, **layer.kwargs)
        return stack


def create_app(service: Service, *, observers: Sequence[Observer] = ()) -> FastAPI:
    """The application of one sidecar. It owns nothing: the caller runs and ends the sidecar."""
    app = _Application(
        title="Blueprint Promotion Service",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        # FastAPI's own would follow variables OTEL_* and could send bodies; ours is `telemetry`.
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = service
    add_problem_handlers(app)
    # Not `include_router`: its wrapper would match each request twice.
    for router in _ROUTERS:
        app.router.routes.extend(router.routes)
    describe(app)
    counted = service.sidecar.metrics
    service.sidecar.gauges.streams = lambda: service.streams.count
    observers = (*observers, RequestMetrics(counted))
    if counted.span_sink is not None:
        app.add_middleware(SpanScope)
        observers = (*observers, ServerSpans(counted))
    app.add_middleware(Edge, observers=observers)
    return app
