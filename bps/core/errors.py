"""Every failure has a class with a stable code; `error_catalogue` says what each code means.

The tree is the one of the design ("Errors"): callers catch a branch (`StoreError`), humans and
other programs read `code`. A code, once released, is never renamed or reused.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

Fact: TypeAlias = "str | int | bool | list[Fact] | dict[str, Fact] | None"


class BpsError(Exception):
    """Base of every named failure.

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
    """A blueprint breaks the strict *blueprint* profile; facts name rule, line and column."""

    code = "BLUEPRINT_REFUSED"


class IdempotencyKeyReused(InputError):
    """An operation id was used before with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class UnsafePath(InputError):
    """A workspace path leaves its root or passes through a symbolic link."""

    code = "UNSAFE_PATH"


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


class Rejected(BpsError):
    """The request is well-formed, but the state does not allow it."""

    code = "REJECTED"


class StaleBase(Rejected):
    """The branch was forked from a version that is canonical no more (R7)."""

    code = "STALE_BASE"


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


class WrongState(Rejected):
    """The RR-plan is not in a state that allows this act. facts: state."""

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
