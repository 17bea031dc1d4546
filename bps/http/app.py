"""The ASGI application: routes, problems, documents; middleware lives in its own modules."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI

from bps.http.metrics import RequestMetrics
from bps.http.middleware import Edge, Observer
from bps.http.openapi import describe, operation_name
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
    plans,
    policy,
    promotions,
    proofs,
    reference,
    tokens,
)
from bps.http.service import Service
from bps.http.telemetry import ServerSpans, SpanScope


def create_app(service: Service, *, observers: Sequence[Observer] = ()) -> FastAPI:
    """The application of one sidecar. It owns nothing: the caller runs and ends the sidecar."""
    app = FastAPI(
        title="Blueprint Promotion Service",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        # FastAPI's own would follow variables OTEL_* and could send bodies; ours is `telemetry`.
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=operation_name,
    )
    app.state.service = service
    add_problem_handlers(app)
    app.include_router(health.ROUTER)
    app.include_router(metrics.ROUTER)
    app.include_router(identity.ROUTER)
    app.include_router(initiatives.ROUTER)
    app.include_router(tokens.ROUTER)
    app.include_router(plans.ROUTER)
    app.include_router(blueprints.ROUTER)
    app.include_router(branches.ROUTER)
    app.include_router(promotions.ROUTER)
    app.include_router(proofs.ROUTER)
    app.include_router(policy.ROUTER)
    app.include_router(keys.ROUTER)
    app.include_router(checkpoints.ROUTER)
    app.include_router(doctor.ROUTER)
    app.include_router(events.ROUTER)
    app.include_router(reference.ROUTER)
    describe(app)
    counted = service.sidecar.metrics
    service.sidecar.gauges.streams = lambda: service.streams.count
    observers = (*observers, RequestMetrics(counted))
    if counted.span_sink is not None:
        app.add_middleware(SpanScope)
        observers = (*observers, ServerSpans(counted))
    app.add_middleware(Edge, observers=observers)
    return app
