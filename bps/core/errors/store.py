"""The store could not do what it was asked to."""

from __future__ import annotations

from bps.core.errors.base import BpsError


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
