"""What the gateway's answers mean, in the spelling of old and new releases, and what strangers'."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest

from bps.core.errors import (
    AccessDenied,
    Compacted,
    LeaseNotFound,
    NoSpace,
    OutcomeUnknown,
    QuorumLost,
    StoreError,
    StoreRefused,
    TooLarge,
    Unavailable,
)
from bps.store.failures import Refusal
from bps.store.gateway.answers import NotSent, document_of, unanswered
from bps.store.gateway.client import AnswerTooLargeError

_MEMBER = "127.0.0.1:1"
#: code, text, HTTP status, error of a write, error of a read
_ERRORS: list[tuple[int, str, int, type[StoreError], type[StoreError]]] = [
    (14, "etcdserver: no leader", 503, QuorumLost, QuorumLost),
    (14, "etcdserver: leader changed", 503, OutcomeUnknown, QuorumLost),
    (14, "etcdserver: request timed out", 503, OutcomeUnknown, QuorumLost),
    (14, "transport is closing", 503, OutcomeUnknown, Unavailable),
    (4, "context deadline exceeded", 504, OutcomeUnknown, Unavailable),
    (8, "etcdserver: mvcc: database space exceeded", 429, NoSpace, NoSpace),
    (5, "etcdserver: requested lease not found", 404, LeaseNotFound, LeaseNotFound),
    (11, "etcdserver: mvcc: required revision has been compacted", 400, Compacted, Compacted),
    (3, "etcdserver: request is too large", 400, TooLarge, TooLarge),
    (3, "etcdserver: key is not provided", 400, StoreRefused, StoreRefused),
    (7, "etcdserver: permission denied", 403, AccessDenied, AccessDenied),
    (3, "etcdserver: user name is empty", 400, AccessDenied, AccessDenied),
    (16, "etcdserver: invalid auth token", 401, AccessDenied, AccessDenied),
]


def _shapes(code: int, text: str, status: int) -> dict[str, tuple[int, dict[str, Any]]]:
    return {
        "3.4": (status, {"error": text, "code": code}),
        "3.5.1": (status, {"error": text, "message": text, "code": code}),
        "3.5.30": (status, {"code": code, "message": text}),
        "3.6": (status, {"code": code, "message": text, "details": []}),
        "stream 3.5": (200, {"error": {"grpc_code": code, "http_code": status, "message": text}}),
        "stream 3.6": (200, {"error": {"code": code, "message": text, "details": []}}),
    }


def refusal_of(status: int, content: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        document_of(status, content, _MEMBER)
    return caught.value


@pytest.mark.parametrize("shape", list(_shapes(0, "", 0)))
@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: error[1])
def test_every_spelling_of_an_error_is_the_same_named_error(
    shape: str, error: tuple[int, str, int, type[StoreError], type[StoreError]]
) -> None:
    code, text, status, of_write, of_read = error
    http_status, document = _shapes(code, text, status)[shape]
    refusal = refusal_of(http_status, json.dumps(document).encode() + b"\n")
    assert type(refusal.write_error("commit")) is of_write
    assert type(refusal.read_error()) is of_read
    assert refusal.text == text
    assert not isinstance(refusal, NotSent)


def test_a_stream_answers_with_its_first_document() -> None:
    content = b'{"result":{"ID":"7"}}\n{"error":{"grpc_code":14,"message":"bye"}}\n'
    assert document_of(200, content, _MEMBER) == {"result": {"ID": "7"}}


@pytest.mark.parametrize(
    ("status", "of_write", "of_read"),
    [
        (200, OutcomeUnknown, StoreRefused),
        (204, OutcomeUnknown, StoreRefused),
        (302, OutcomeUnknown, StoreRefused),
        (307, OutcomeUnknown, StoreRefused),
        (400, OutcomeUnknown, Unavailable),
        (401, AccessDenied, AccessDenied),
        (403, AccessDenied, AccessDenied),
        (404, StoreRefused, StoreRefused),
        (413, OutcomeUnknown, StoreRefused),
        (502, OutcomeUnknown, Unavailable),
        (503, OutcomeUnknown, Unavailable),
        (504, OutcomeUnknown, Unavailable),
    ],
)
@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b'"x"', b"null", b"{", b"\xff", b'{"error":1}', b'{"error":{}}'],
    ids=ascii,
)
def test_what_is_not_etcds_answer_proves_nothing_but_a_refusal_at_the_door(
    status: int, content: bytes, of_write: type[StoreError], of_read: type[StoreError]
) -> None:
    refusal = refusal_of(status, content)
    assert type(refusal.write_error("commit")) is of_write
    assert type(refusal.read_error()) is of_read
    assert f"HTTP status {status}" in refusal.text


@pytest.mark.parametrize(
    "code", [True, "14", None, -1, 17, 1.5, [], 2**70], ids=lambda code: ascii(code)[:20]
)
def test_a_code_that_is_none_proves_nothing(code: object) -> None:
    refusal = refusal_of(500, json.dumps({"code": code, "message": "x"}).encode())
    assert type(refusal.write_error("commit")) is OutcomeUnknown


def _alert(reason: str) -> OSError:
    cause = ssl.SSLError(1, "tls")
    cause.reason = reason
    error = OSError("<object at 0x7f0000000000>")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "sent", "of_write", "of_read"),
    [
        (ConnectionRefusedError(111, "Connection refused"), False, Unavailable, Unavailable),
        (ConnectionResetError(104, "Connection reset"), True, OutcomeUnknown, Unavailable),
        (TimeoutError(), False, Unavailable, Unavailable),
        (TimeoutError(), True, OutcomeUnknown, Unavailable),
        (_alert("CERTIFICATE_VERIFY_FAILED"), False, AccessDenied, AccessDenied),
        (_alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), True, AccessDenied, AccessDenied),
        (_alert("TLSV1_ALERT_UNKNOWN_CA"), True, AccessDenied, AccessDenied),
        (_alert("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"), True, OutcomeUnknown, Unavailable),
        (AnswerTooLargeError("large"), True, OutcomeUnknown, TooLarge),
    ],
    ids=repr,
)
def test_only_what_was_not_sent_is_certainly_not_applied(
    error: OSError, sent: bool, of_write: type[StoreError], of_read: type[StoreError]
) -> None:
    refusal = unanswered(error, _MEMBER, sent=sent)
    assert type(refusal.write_error("commit")) is of_write
    assert type(refusal.read_error()) is of_read
    assert isinstance(refusal, NotSent) is not sent
    assert "0x7f" not in refusal.text
