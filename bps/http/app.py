"""The ASGI application: routes, problems, documents; middleware lives in its own modules."""

from __future__ import annotations

from fastapi import FastAPI

from bps.http.service import Service


def create_app(service: Service) -> FastAPI:
    """The application of one sidecar. It owns nothing: the caller runs and ends the sidecar."""
    app = FastAPI(
        title="Blueprint Promotion Service",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.service = service
    return app
