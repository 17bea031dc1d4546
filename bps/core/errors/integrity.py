"""Stored data contradicts itself."""

from __future__ import annotations

from bps.core.errors.base import BpsError


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
