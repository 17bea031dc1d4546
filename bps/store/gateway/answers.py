"""From an HTTP answer, or the lack of one, to a JSON object or a `Refusal` by the one table.

The gateway of etcd 3.4 to 3.5.9 and that of later releases spell errors differently, and streams
(keepalive) report theirs with status 200; all shapes are taken from any of them.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson
from grpc import StatusCode

from bps.core.errors import AccessDenied, TooLarge, Unavailable
from bps.store.failures import Refusal, Verdict, classify
from bps.store.gateway.client import AnswerTooLargeError

_CODES: dict[int, StatusCode] = {code.value[0]: code for code in StatusCode}

_BY_STATUS: dict[int, StatusCode] = {
    HTTPStatus.BAD_REQUEST: StatusCode.INTERNAL,
    HTTPStatus.UNAUTHORIZED: StatusCode.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: StatusCode.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: StatusCode.UNIMPLEMENTED,
    HTTPStatus.TOO_MANY_REQUESTS: StatusCode.UNAVAILABLE,
    HTTPStatus.BAD_GATEWAY: StatusCode.UNAVAILABLE,
    HTTPStatus.SERVICE_UNAVAILABLE: StatusCode.UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: StatusCode.UNAVAILABLE,
}
"""What an answer without etcd's own code means (gRPC, "HTTP to gRPC Status Code Mapping")."""

_NOT_SENT = Verdict(Unavailable, "No connection to etcd.", unapplied=True, elsewhere=True)
_NO_HANDSHAKE = Verdict(
    AccessDenied, "The TLS handshake with etcd failed.", unapplied=True, elsewhere=True
)
_TOO_LARGE = Verdict(TooLarge, "The answer is larger than this client takes.")
_HANDSHAKE_ALERTS = ("CERTIFICATE_REQUIRED", "UNKNOWN_CA", "BAD_CERTIFICATE")
_TEXT_LENGTH = 300


class NotSent(Refusal):
    """Not one byte of the request's body left: a write may go to another member."""


def document_of(status: int, content: bytes, endpoint: str) -> dict[str, Any]:
    """The JSON object that etcd answered; of a stream, its first.

    Raises:
        Refusal: etcd's error, or an answer that is not etcd's.
    """
    try:
        document = orjson.loads(content.partition(b"\n")[0])
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise _foreign(status, endpoint)
    if status == HTTPStatus.OK and "error" not in document:
        return document
    nested = document.get("error")
    failure = nested if isinstance(nested, dict) else document
    number = failure.get("grpc_code", failure.get("code"))
    text = failure.get("message", nested)
    code = _CODES.get(number) if isinstance(number, int) else None
    if code is None or not isinstance(text, str):
        raise _foreign(status, endpoint)
    raise Refusal(classify(code, text), code, text[:_TEXT_LENGTH], endpoint)


def _foreign(status: int, endpoint: str) -> Refusal:
    code = _BY_STATUS.get(status, StatusCode.UNKNOWN)
    text = f"HTTP status {status} without an answer of etcd's gateway"
    return Refusal(classify(code, text), code, text, endpoint)


def malformed(endpoint: str) -> Refusal:
    """An answer of JSON that lacks what etcd's has."""
    return _foreign(HTTPStatus.OK, endpoint)


def unanswered(error: BaseException, endpoint: str, *, sent: bool) -> Refusal:
    """What it means that `error` came instead of an answer; `sent`: the body may have left."""
    text = _reason(error)
    code = StatusCode.UNAVAILABLE
    alert = next((each for each in _causes(error) if isinstance(each, ssl.SSLError)), None)
    if not sent:
        return NotSent(_NOT_SENT if alert is None else _NO_HANDSHAKE, code, text, endpoint)
    if alert is not None and any(mark in (alert.reason or "") for mark in _HANDSHAKE_ALERTS):
        # With TLS 1.3 the server judges our certificate after we have begun to send.
        return Refusal(_NO_HANDSHAKE, code, text, endpoint)
    if isinstance(error, AnswerTooLargeError):
        return Refusal(_TOO_LARGE, StatusCode.RESOURCE_EXHAUSTED, text, endpoint)
    return Refusal(classify(code, text), code, text, endpoint)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _reason(error: BaseException) -> str:
    """The innermost cause in words; requests' own texts show objects and addresses in memory."""
    for cause in reversed(list(_causes(error))):
        if isinstance(cause, ssl.SSLError):
            return cause.reason or "TLS failed"
        if isinstance(cause, TimeoutError):
            return "no answer in time"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return f"the connection failed ({type(error).__name__})"
