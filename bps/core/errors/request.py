"""The request is wrong; repeating it unchanged cannot succeed, but where it says so."""

from __future__ import annotations

from bps.core.errors.base import BpsError


class InputError(BpsError):
    """The request itself is wrong; repeating it unchanged cannot succeed."""

    code = "INPUT_ERROR"


class InvalidInput(InputError):
    """A field has the wrong type, is unknown, missing or out of range."""

    code = "INVALID_INPUT"


class InvalidId(InputError):
    """An identifier does not have its one allowed form (R4)."""

    code = "INVALID_ID"


class InvalidBlueprint(InputError):
    """A blueprint breaks the strict profile. facts: rule, line, column."""

    code = "BLUEPRINT_REFUSED"


class IdempotencyKeyReused(InputError):
    """An operation id was used before with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class OperationInFlight(InputError):
    """The same operation is being carried out now; its outcome is not known yet."""

    code = "OPERATION_IN_FLIGHT"
    retryable = True


class UnsafePath(InputError):
    """A workspace path leaves its root or passes through a symbolic link."""

    code = "UNSAFE_PATH"


class RequestError(InputError):
    """The HTTP request cannot be served in this form; nothing was written."""

    code = "REQUEST_ERROR"


class RouteNotFound(RequestError):
    """The service has nothing at this path."""

    code = "ROUTE_NOT_FOUND"


class MethodNotAllowed(RequestError):
    """What is at this path does not know the method."""

    code = "METHOD_NOT_ALLOWED"


class NotAcceptable(RequestError):
    """The answer cannot be given in any of the media types asked for."""

    code = "NOT_ACCEPTABLE"


class UnsupportedMediaType(RequestError):
    """The body has another content type or encoding than the one that is taken here."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class RequestTooLarge(RequestError):
    """The body, the headers or the path are longer than the service takes. facts: limit_bytes."""

    code = "REQUEST_TOO_LARGE"


class RequestTimedOut(RequestError):
    """The request was not sent in full in time."""

    code = "REQUEST_TIMED_OUT"
    retryable = True


class PreconditionRequired(RequestError):
    """This request needs an `If-Match` header, so that nothing newer is overwritten."""

    code = "PRECONDITION_REQUIRED"


class IdempotencyKeyRequired(RequestError):
    """A request that writes needs an `Idempotency-Key` header."""

    code = "IDEMPOTENCY_KEY_REQUIRED"


class RateLimited(RequestError):
    """This principal or address sends more requests than it may. facts: retry_after_s."""

    code = "RATE_LIMITED"
    retryable = True


class TooManyConnections(RequestError):
    """The service has as many connections or streams as it takes. facts: retry_after_s."""

    code = "TOO_MANY_CONNECTIONS"
    retryable = True


class TooManyProofs(RequestError):
    """The service runs as many proofs at once as it does, or one of this plan already."""

    code = "TOO_MANY_PROOFS"
    retryable = True
