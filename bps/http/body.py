"""Request bodies: read within limits, parsed strictly."""

from __future__ import annotations

from starlette.requests import Request


class StrictRequest(Request):
    """A request whose JSON body is parsed strictly, and whose body is bounded."""
