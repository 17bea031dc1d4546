"""The table of failures: what each means for a write and for a read."""

from __future__ import annotations

import pytest
from grpc import StatusCode

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
from bps.store.failures import Refusal, classify

_Unknown = OutcomeUnknown
#: code, text, error of a write, error of a read, tried on another member
_TABLE: list[tuple[StatusCode, str, type[StoreError], type[StoreError], bool]] = [
    (StatusCode.UNAVAILABLE, "etcdserver: no leader", QuorumLost, QuorumLost, True),
    (StatusCode.UNAVAILABLE, "etcdserver: leader changed", _Unknown, QuorumLost, True),
    (StatusCode.UNAVAILABLE, "etcdserver: request timed out", _Unknown, QuorumLost, True),
    (
        StatusCode.UNAVAILABLE,
        "etcdserver: request timed out, possibly due to previous leader failure",
        _Unknown,
        QuorumLost,
        True,
    ),
    (
        StatusCode.RESOURCE_EXHAUSTED,
        "etcdserver: too many requests",
        Unavailable,
        Unavailable,
        True,
    ),
    (StatusCode.UNAVAILABLE, "etcdserver: not capable", Unavailable, Unavailable, True),
    (
        StatusCode.UNAVAILABLE,
        "etcdserver: rpc not supported for learner",
        Unavailable,
        Unavailable,
        True,
    ),
    (StatusCode.UNAVAILABLE, "etcdserver: server stopped", _Unknown, Unavailable, True),
    (
        StatusCode.RESOURCE_EXHAUSTED,
        "etcdserver: mvcc: database space exceeded",
        NoSpace,
        NoSpace,
        False,
    ),
    (
        StatusCode.NOT_FOUND,
        "etcdserver: requested lease not found",
        LeaseNotFound,
        LeaseNotFound,
        False,
    ),
    (
        StatusCode.OUT_OF_RANGE,
        "etcdserver: mvcc: required revision has been compacted",
        Compacted,
        Compacted,
        False,
    ),
    (
        StatusCode.OUT_OF_RANGE,
        "etcdserver: mvcc: required revision is a future revision",
        StoreRefused,
        StoreRefused,
        False,
    ),
    (
        StatusCode.INVALID_ARGUMENT,
        "etcdserver: request is too large",
        TooLarge,
        TooLarge,
        False,
    ),
    (
        StatusCode.INVALID_ARGUMENT,
        "etcdserver: too many operations in txn request",
        TooLarge,
        TooLarge,
        False,
    ),
    (
        StatusCode.RESOURCE_EXHAUSTED,
        "grpc: received message larger than max (3000000 vs. 2097152)",
        TooLarge,
        TooLarge,
        False,
    ),
    (
        StatusCode.RESOURCE_EXHAUSTED,
        "CLIENT: Sent message larger than max (68 vs. 67)",
        TooLarge,
        TooLarge,
        False,
    ),
    (
        StatusCode.RESOURCE_EXHAUSTED,
        "CLIENT: Received message larger than max (68 vs. 67)",
        _Unknown,
        TooLarge,
        False,
    ),
    (
        StatusCode.UNAUTHENTICATED,
        "etcdserver: invalid auth token",
        AccessDenied,
        AccessDenied,
        False,
    ),
    (
        StatusCode.INVALID_ARGUMENT,
        "etcdserver: revision of auth store is old",
        AccessDenied,
        AccessDenied,
        False,
    ),
    (
        StatusCode.INVALID_ARGUMENT,
        "etcdserver: user name is empty",
        AccessDenied,
        AccessDenied,
        False,
    ),
    (
        StatusCode.PERMISSION_DENIED,
        "etcdserver: permission denied",
        AccessDenied,
        AccessDenied,
        False,
    ),
    (
        StatusCode.INVALID_ARGUMENT,
        "etcdserver: authentication failed, invalid user ID or password",
        AccessDenied,
        AccessDenied,
        False,
    ),
    (StatusCode.DATA_LOSS, "etcdserver: corrupt cluster", StoreRefused, StoreRefused, False),
    (
        StatusCode.UNAVAILABLE,
        "failed to connect: Ssl handshake failed: CERTIFICATE_VERIFY_FAILED",
        _Unknown,
        AccessDenied,
        True,
    ),
    # Texts that nobody has told us about.
    (StatusCode.INVALID_ARGUMENT, "etcdserver: something new", StoreRefused, StoreRefused, False),
    (StatusCode.OUT_OF_RANGE, "something new", StoreRefused, StoreRefused, False),
    (StatusCode.UNIMPLEMENTED, "unknown method Txn", StoreRefused, StoreRefused, False),
    (StatusCode.PERMISSION_DENIED, "something new", AccessDenied, AccessDenied, False),
    (StatusCode.UNAUTHENTICATED, "something new", AccessDenied, AccessDenied, False),
    (StatusCode.UNAVAILABLE, "Socket closed", _Unknown, Unavailable, True),
    (StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", _Unknown, Unavailable, True),
    (StatusCode.CANCELLED, "CANCELLED", _Unknown, Unavailable, True),
    (StatusCode.UNKNOWN, "raft proposal dropped", _Unknown, Unavailable, True),
    (StatusCode.UNKNOWN, "context deadline exceeded", _Unknown, Unavailable, True),
    (StatusCode.UNKNOWN, "something new", _Unknown, StoreRefused, True),
    (StatusCode.INTERNAL, "Received RST_STREAM with error code 2", _Unknown, Unavailable, True),
    (StatusCode.FAILED_PRECONDITION, "something new", _Unknown, StoreRefused, False),
    (StatusCode.NOT_FOUND, "something new", _Unknown, StoreRefused, False),
    (StatusCode.ABORTED, "something new", _Unknown, StoreRefused, False),
]


@pytest.mark.parametrize(("code", "text", "of_write", "of_read", "elsewhere"), _TABLE)
def test_the_meaning_of_a_failure(
    code: StatusCode,
    text: str,
    of_write: type[StoreError],
    of_read: type[StoreError],
    elsewhere: bool,
) -> None:
    verdict = classify(code, text)
    refusal = Refusal(verdict, code, text, "127.0.0.1:2379")
    write_error, read_error = refusal.write_error("commit"), refusal.read_error()
    assert type(write_error) is of_write
    assert type(read_error) is of_read
    assert verdict.elsewhere == elsewhere
    for error in (write_error, read_error):
        assert text in error.message
        assert error.facts["reason"] == text
        assert error.facts["grpc_code"] == code.name
        assert error.facts["endpoint"] == "127.0.0.1:2379"
    if of_write is OutcomeUnknown:
        assert write_error.facts["op"] == "commit"


@pytest.mark.parametrize("code", list(StatusCode))
def test_an_unheard_of_text_is_never_taken_for_unapplied(code: StatusCode) -> None:
    error = Refusal(classify(code, "??"), code, "??", "x:1").write_error("commit")
    certain = {
        StatusCode.INVALID_ARGUMENT,
        StatusCode.OUT_OF_RANGE,
        StatusCode.UNIMPLEMENTED,
        StatusCode.PERMISSION_DENIED,
        StatusCode.UNAUTHENTICATED,
    }
    assert isinstance(error, OutcomeUnknown) == (code not in certain)


def test_only_token_errors_ask_for_a_new_token() -> None:
    texts = [text for code, text, *_ in _TABLE if classify(code, text).stale_token]
    assert texts == [
        "etcdserver: invalid auth token",
        "etcdserver: revision of auth store is old",
        "etcdserver: user name is empty",
    ]
