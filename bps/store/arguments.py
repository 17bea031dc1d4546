"""What every adapter refuses before it sends anything."""

from __future__ import annotations

from collections.abc import Sequence

from bps.core.errors import TooLarge
from bps.core.ports import Read
from bps.core.txn import MAX_OPERATIONS

MAX_LEASE_TTL_S = 9_000_000_000
"""etcd's own bound."""


def check_reads(reads: Sequence[Read]) -> None:
    """A snapshot has 1 to 128 reads.

    Raises:
        TooLarge: more than 128.
        ValueError: none (etcd would answer such a transaction from a member that may be stale).
    """
    if not reads:
        msg = "a snapshot needs at least one read"
        raise ValueError(msg)
    if len(reads) > MAX_OPERATIONS:
        raise TooLarge(
            f"A snapshot has {len(reads)} reads; etcd allows {MAX_OPERATIONS}.", reads=len(reads)
        )


def check_page(end: bytes, limit: int) -> None:
    """A page has a bound on both sides; raises ValueError."""
    if limit < 1 or not end:
        msg = "a page needs a limit of at least 1 and an end"
        raise ValueError(msg)


def check_watch_start(start_revision: int) -> None:
    """A watch names its first revision, as "now" would miss what happens meanwhile."""
    if start_revision < 1:
        msg = "a watch starts at a revision of 1 or more: a snapshot's plus 1"
        raise ValueError(msg)


def check_ttl(ttl_s: int) -> None:
    """A lease time that etcd does not refuse or replace; raises ValueError."""
    if not 1 <= ttl_s <= MAX_LEASE_TTL_S:
        msg = f"a lease lives 1 to {MAX_LEASE_TTL_S} seconds, not {ttl_s}"
        raise ValueError(msg)
