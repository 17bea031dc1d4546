"""The caller is refused."""

from __future__ import annotations

from bps.core.errors.base import BpsError


class AccessError(BpsError):
    """The service refuses the caller."""

    code = "ACCESS_ERROR"


class Unauthenticated(AccessError):
    """No valid token or client certificate came with the request."""

    code = "UNAUTHENTICATED"


class Forbidden(AccessError):
    """None of the caller's roles allows this operation."""

    code = "FORBIDDEN"
