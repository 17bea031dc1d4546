"""Counts and times every HTTP request by its route's template (R16)."""

from __future__ import annotations

from starlette.types import Scope

from bps.sidecar.metrics import Metrics


class RequestMetrics:
    """An observer of `bps.http.middleware`. Cost: about 7 us a request."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __call__(self, scope: Scope, status: int, duration_s: float) -> None:
        """Count one finished request."""
        self._metrics.request(template_of(scope), scope["method"], status, duration_s)


def template_of(scope: Scope) -> str | None:
    """The path of the route that took the request, with its parameters' names; None: no route."""
    template = getattr(scope.get("route"), "path_format", None)
    return template if isinstance(template, str) else None
