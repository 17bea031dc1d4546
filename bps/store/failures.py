"""What each failure of etcd or gRPC means, in one table.

Two questions decide everything: is a write that got this answer *certainly* not applied, and may
a read be tried on another member. Texts are etcd's own (api/v3rpc/rpctypes/error.go); a text that
is not listed is judged by its gRPC code, and what is left is an unknown outcome for a write.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a failure means.

    `unapplied`: a write that got it was certainly not applied. `elsewhere`: a read may be tried on
    another member. `stale_token`: authenticate and send again (nothing was applied).
    """

    error: type[StoreError]
    sentence: str
    unapplied: bool = False
    elsewhere: bool = False
    stale_token: bool = False


def _refused(error: type[StoreError], sentence: str) -> Verdict:
    return Verdict(error, sentence, unapplied=True)


def _passing(error: type[StoreError], sentence: str, *, unapplied: bool) -> Verdict:
    return Verdict(error, sentence, unapplied=unapplied, elsewhere=True)


def _token(sentence: str) -> Verdict:
    return Verdict(AccessDenied, sentence, unapplied=True, stale_token=True)


_BY_TEXT: tuple[tuple[str, Verdict], ...] = (
    # Every call carries `hasleader`, so this one comes from the interceptor, before the handler.
    ("etcdserver: no leader", _passing(QuorumLost, "etcd has no leader.", unapplied=True)),
    (
        "etcdserver: leader changed",
        _passing(QuorumLost, "etcd's leader changed during the request.", unapplied=False),
    ),
    # A proposal that timed out is still in the log of some member and may be committed later.
    (
        "etcdserver: request timed out",
        _passing(QuorumLost, "etcd found no quorum in time.", unapplied=False),
    ),
    # Answered before the proposal: the gap between committed and applied entries is too wide.
    (
        "etcdserver: too many requests",
        _passing(Unavailable, "etcd is overloaded.", unapplied=True),
    ),
    (
        "etcdserver: not capable",
        _passing(Unavailable, "The etcd member is not ready yet.", unapplied=True),
    ),
    (
        "etcdserver: rpc not supported for learner",
        _passing(Unavailable, "The etcd member is a learner.", unapplied=True),
    ),
    (
        "etcdserver: server stopped",
        _passing(Unavailable, "The etcd member is stopping.", unapplied=False),
    ),
    (
        "etcdserver: mvcc: database space exceeded",
        _refused(NoSpace, "etcd's space quota is used up (alarm NOSPACE)."),
    ),
    (
        "etcdserver: requested lease not found",
        _refused(LeaseNotFound, "The lease does not exist (any more)."),
    ),
    (
        "etcdserver: mvcc: required revision has been compacted",
        _refused(Compacted, "The revision was compacted."),
    ),
    (
        "etcdserver: mvcc: required revision is a future revision",
        _refused(StoreRefused, "The revision does not exist yet."),
    ),
    (
        "etcdserver: request is too large",
        _refused(TooLarge, "etcd refused a request as too large."),
    ),
    (
        "etcdserver: too many operations in txn request",
        _refused(TooLarge, "etcd refused a transaction with too many operations."),
    ),
    # The server's limit (lower-case "received") and our own sending limit: never reached a handler.
    (
        "grpc: received message larger than max",
        _refused(TooLarge, "etcd refused a request as too large."),
    ),
    ("Sent message larger than max", _refused(TooLarge, "The request is too large to be sent.")),
    # Our own receiving limit: the request itself may well have been executed.
    (
        "Received message larger than max",
        Verdict(TooLarge, "The answer is larger than this client takes."),
    ),
    ("etcdserver: invalid auth token", _token("etcd does not accept our token.")),
    ("etcdserver: revision of auth store is old", _token("etcd's users or roles changed.")),
    ("etcdserver: user name is empty", _token("etcd asks for a user and password.")),
    (
        "etcdserver: permission denied",
        _refused(AccessDenied, "etcd does not permit this to our user."),
    ),
    (
        "etcdserver: authentication failed",
        _refused(AccessDenied, "etcd refused our user or password."),
    ),
    ("etcdserver: corrupt cluster", _refused(StoreRefused, "etcd found corrupt data.")),
)

_TLS_TEXTS = ("handshake failed", "CERTIFICATE_VERIFY_FAILED", "SSL_ERROR", "tlsv1 alert")

_REFUSING_CODES = frozenset(
    {StatusCode.INVALID_ARGUMENT, StatusCode.OUT_OF_RANGE, StatusCode.UNIMPLEMENTED}
)
_DENYING_CODES = frozenset({StatusCode.PERMISSION_DENIED, StatusCode.UNAUTHENTICATED})
_PASSING_CODES = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.CANCELLED,
        # gRPC's word for a stream that broke in a way it did not expect.
        StatusCode.INTERNAL,
    }
)
_UNKNOWN_TEXTS = ("context canceled", "context deadline exceeded", "raft proposal dropped")
"""etcd's own errors that it gives no code: the member did not come to an end."""

CLOSED = Verdict(Unavailable, "The store was closed.")
"""A call that was under way when its store was closed."""


def classify(code: StatusCode, text: str) -> Verdict:
    """The meaning of a gRPC status `code` with etcd's `text`."""
    for known, verdict in _BY_TEXT:
        if known in text:
            return verdict
    if code is StatusCode.UNAVAILABLE and any(mark in text for mark in _TLS_TEXTS):
        # The gate before a write makes this a read's failure; the handshake precedes any request.
        return Verdict(AccessDenied, "The TLS handshake with etcd failed.", elsewhere=True)
    if code in _REFUSING_CODES:
        return _refused(StoreRefused, "etcd refused the request.")
    if code in _DENYING_CODES:
        return _refused(AccessDenied, "etcd refused our user, token or certificate.")
    if code in _PASSING_CODES:
        return _passing(Unavailable, "etcd did not answer.", unapplied=False)
    if code is StatusCode.UNKNOWN:
        if any(mark in text for mark in _UNKNOWN_TEXTS):
            return _passing(Unavailable, "etcd did not answer.", unapplied=False)
        # Also any code that gRPC does not have: this member may be no etcd at all.
        return Verdict(StoreRefused, "etcd failed in a way that is not known.", elsewhere=True)
    return Verdict(StoreRefused, "etcd failed in a way that is not known.")


class Refusal(Exception):
    """One member's failure, its verdict and where it came from; callers see a named error."""

    def __init__(self, verdict: Verdict, code: StatusCode, text: str, endpoint: str) -> None:
        super().__init__(text)
        self.verdict = verdict
        self.code = code
        self.text = text
        self.endpoint = endpoint

    def read_error(self) -> StoreError:
        """The named error of a read that ended with this."""
        return self.verdict.error(
            f"{self.verdict.sentence} ({self.endpoint}: {self.text})",
            endpoint=self.endpoint,
            grpc_code=self.code.name,
            reason=self.text,
        )

    def write_error(self, op: str) -> StoreError:
        """The named error of a write that ended with this; unknown unless provably unapplied."""
        if self.verdict.unapplied:
            return self.read_error()
        return OutcomeUnknown(
            f"A write ({op}) was sent to {self.endpoint} and may or may not be applied: "
            f"{self.text}",
            op=op,
            endpoint=self.endpoint,
            grpc_code=self.code.name,
            reason=self.text,
        )
