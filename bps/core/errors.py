"""Every failure has a class with a stable code; `error_catalogue` says what each code means.

The tree is the one of the design ("Errors"): callers catch a branch (`StoreError`), humans and
other programs read `code`. A code, once released, is never renamed or reused.
"""

from __future__ import annotations

from typing import ClassVar, Self, TypeAlias

Fact: TypeAlias = "str | int | bool | list[Fact] | dict[str, Fact] | None"


class BpsError(Exception):
    """Something failed in a way that has no name of its own.

    Base of every named failure.

    Args:
        message: one sentence for a human, naming what was refused or what failed.
        **facts: JSON-safe details for programs; never secrets.
    """

    code: ClassVar[str] = "BPS_ERROR"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **facts: Fact) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts
        self.next_action: str | None = None

    def advising(self, next_action: str) -> Self:
        """This error, with what to do now where its code's row in the catalogue is too general."""
        self.next_action = next_action
        return self


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


class AccessError(BpsError):
    """The service refuses the caller."""

    code = "ACCESS_ERROR"


class Unauthenticated(AccessError):
    """No valid token or client certificate came with the request."""

    code = "UNAUTHENTICATED"


class Forbidden(AccessError):
    """None of the caller's roles allows this operation."""

    code = "FORBIDDEN"


class StoreError(BpsError):
    """The store could not do what it was asked to."""

    code = "STORE_ERROR"
    retryable = True


class Unavailable(StoreError):
    """No member answered in time; a read or a request that was certainly not applied."""

    code = "STORE_UNAVAILABLE"


class QuorumLost(Unavailable):
    """A member answers, but the cluster has no leader or no quorum (R13)."""

    code = "QUORUM_LOST"


class NoSpace(Unavailable):
    """etcd raised NOSPACE: its quota is used up and it refuses writes (R13)."""

    code = "NO_SPACE"


class OutcomeUnknown(StoreError):
    """A write was sent and no answer came: it may or may not be applied. facts: op."""

    code = "OUTCOME_UNKNOWN"


class Contended(StoreError):
    """Other writers changed the same records until the deadline passed."""

    code = "CONTENDED"


class TooLarge(StoreError):
    """A transaction exceeds etcd's limits (128 compares or operations, 1.5 MiB)."""

    code = "TRANSACTION_TOO_LARGE"
    retryable = False


class Compacted(StoreError):
    """The revision asked for was compacted; list again at a newer one. facts: compact_revision."""

    code = "REVISION_COMPACTED"


class LeaseNotFound(StoreError):
    """The lease that a write hangs on does not exist (any more)."""

    code = "LEASE_NOT_FOUND"


class StoreRefused(StoreError):
    """The store refused a request for a reason we do not know; its own words are in the facts."""

    code = "STORE_REFUSED"


class AccessDenied(StoreError):
    """The store refused our user, password or certificate."""

    code = "STORE_ACCESS_DENIED"
    retryable = False


class CapabilityMissing(StoreError):
    """The store's adapter cannot do what is asked, as it declares. facts: capability, adapter."""

    code = "CAPABILITY_MISSING"
    retryable = False


class ResultNotShown(BpsError):
    """The act is done (or the record read), but its result could not be printed. facts: op."""

    code = "RESULT_NOT_SHOWN"
    retryable = True


class LeadershipError(BpsError):
    """This process may not write now."""

    code = "LEADERSHIP_ERROR"
    retryable = True


class NotLeader(LeadershipError):
    """Another process holds the leadership (R12)."""

    code = "NOT_LEADER"


class FencedOut(LeadershipError):
    """The fence in a write transaction was gone: this process was leader and is no more (R12)."""

    code = "FENCED_OUT"


class LeaseLost(LeadershipError):
    """The own lease may have expired, judged from before the last keepalive was sent (R12)."""

    code = "LEASE_LOST"


class AvailabilityError(BpsError):
    """The service takes no writes for now, although it leads and the store answers."""

    code = "AVAILABILITY_ERROR"
    retryable = True


class ReadOnly(AvailabilityError):
    """An operator has made the service read-only. facts: by, why, since_ms (R13)."""

    code = "READ_ONLY"


class ClockJump(AvailabilityError):
    """The clock of this host is not to be trusted for stamping events. facts: ahead_ms (R13)."""

    code = "CLOCK_JUMP"


class Overloaded(AvailabilityError):
    """More writes wait than can be done before their deadlines. facts: retry_after_s."""

    code = "OVERLOADED"


class Rejected(BpsError):
    """The request is well-formed, but the state does not allow it."""

    code = "REJECTED"


class StaleBase(Rejected):
    """The branch was forked from a version that is canonical no more (R7)."""

    code = "STALE_BASE"


class PreconditionFailed(Rejected):
    """The resource is not the one that `If-Match` names any more. facts: etag."""

    code = "PRECONDITION_FAILED"


class MergeConflict(Rejected):
    """A three-way merge needs a human (R7)."""

    code = "MERGE_CONFLICT"


class ValidationFailed(Rejected):
    """A semantic validator vetoed the result (R7)."""

    code = "VALIDATION_FAILED"


class DepthExceeded(Rejected):
    """A regression goes back too far without the consent it needs (R3)."""

    code = "DEPTH_EXCEEDED"


class Frozen(Rejected):
    """Governance froze promotions of this initiative (R8)."""

    code = "FROZEN"


class LimitExceeded(Rejected):
    """A bound of the policy or of the design would be passed. facts: limit, value."""

    code = "LIMIT_EXCEEDED"


class ClockNullified(Rejected):
    """The RR-plan emitted VC_NULLIFY: no later event of it is accepted (R11)."""

    code = "CLOCK_NULLIFIED"


class ApprovalsMissing(Rejected):
    """Too few holders of the key registry have approved the change. facts: needed, counted."""

    code = "APPROVALS_MISSING"


class WrongState(Rejected):
    """What the request names is not in a state that allows this act. facts: state."""

    code = "WRONG_STATE"


class NotFound(Rejected):
    """No such record."""

    code = "NOT_FOUND"


class Exists(Rejected):
    """The record exists already with other content."""

    code = "EXISTS"


class Ambiguous(Rejected):
    """A short reference fits more than one record. facts: candidates."""

    code = "AMBIGUOUS"


class WorkspaceConflict(Rejected):
    """A workspace file holds content that the store does not know; it was not overwritten (R5)."""

    code = "WORKSPACE_CONFLICT"


class IntegrityError(BpsError):
    """Stored data contradicts itself."""

    code = "INTEGRITY_ERROR"


class ChainBroken(IntegrityError):
    """An event log does not verify. facts: plan, index (the first bad one)."""

    code = "CHAIN_BROKEN"


class ReceiptRefuted(ChainBroken):
    """The log verifies, but does not hold the receipt that was given. facts: plan, index."""

    code = "RECEIPT_REFUTED"


class DigestMismatch(IntegrityError):
    """Stored bytes do not have the digest that names them."""

    code = "DIGEST_MISMATCH"


class ReplayDiverged(IntegrityError):
    """State rebuilt from the events differs from the stored state. facts: key."""

    code = "REPLAY_DIVERGED"


class MalformedRecord(IntegrityError):
    """Stored bytes are not a record of the kind that their key promises."""

    code = "MALFORMED_RECORD"


class BadSignature(IntegrityError):
    """A signature does not verify."""

    code = "BAD_SIGNATURE"


class SchemaTooNew(IntegrityError):
    """A record was written by a newer release than this one can read. facts: schema, readable."""

    code = "SCHEMA_TOO_NEW"


class StoreRolledBack(IntegrityError):
    """The store holds less than it once acknowledged: a snapshot was restored (R13)."""

    code = "STORE_ROLLED_BACK"


class ConfigError(BpsError):
    """The process is not set up to do this."""

    code = "CONFIG_ERROR"


class PluginError(BpsError):
    """A plugin is missing, crashed, hung or is not allowed."""

    code = "PLUGIN_ERROR"


class ClaimFailed(BpsError):
    """A claim of the demonstration did not hold; every line printed before it did."""

    code = "CLAIM_FAILED"
