"""`Txn`: compares, then puts and deletes, applied by the store all together or not at all.

The constructor enforces etcd's limits, so that a decision that cannot fit is found by a unit
test and not by the cluster (design, "One write path").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bps.core.errors import TooLarge

MAX_COMPARES = 128
MAX_OPERATIONS = 128
MAX_REQUEST_BYTES = 1_572_864
"""etcd's `--max-request-bytes` default (1.5 MiB)."""
_OVERHEAD_BYTES = 24
"""Upper bound of protobuf framing for one compare or operation with its lengths and numbers."""


class Target(Enum):
    """What of a key is compared. Values are etcd's `Compare.CompareTarget` numbers."""

    CREATE_REVISION = 1
    MOD_REVISION = 2


@dataclass(frozen=True, slots=True)
class Compare:
    """`key`'s `target` equals `value`; an absent key has 0 for both revisions."""

    key: bytes
    target: Target
    value: int


@dataclass(frozen=True, slots=True)
class Exists:
    """`key` is present (its create revision is greater than 0)."""

    key: bytes


@dataclass(frozen=True, slots=True)
class Put:
    """Sets `key`; `lease_id` 0 means no lease."""

    key: bytes
    value: bytes
    lease_id: int = 0


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes exactly one key."""

    key: bytes


Condition = Compare | Exists
Operation = Put | Delete


def absent(key: bytes) -> Compare:
    """The condition that `key` does not exist."""
    return Compare(key, Target.CREATE_REVISION, 0)


def unchanged(key: bytes, mod_revision: int) -> Compare:
    """The condition that `key` was last written at `mod_revision` (0: it does not exist)."""
    return Compare(key, Target.MOD_REVISION, mod_revision)


@dataclass(frozen=True, slots=True)
class Fence:
    """Proof of leadership: `key` still is the incarnation created at `create_revision` (R12)."""

    key: bytes
    create_revision: int

    @property
    def compare(self) -> Compare:
        """The compare that every write transaction carries."""
        return Compare(self.key, Target.CREATE_REVISION, self.create_revision)


@dataclass(frozen=True, slots=True)
class Txn:
    """One transaction; a refused one answers with the present values of all compared keys.

    Raises:
        TooLarge: more than 128 compares or operations, or more than 1.5 MiB.
        ValueError: a key is written twice (a bug of the caller; etcd refuses it as well).
    """

    compares: tuple[Condition, ...]
    operations: tuple[Operation, ...]

    def __post_init__(self) -> None:
        if len(self.compares) > MAX_COMPARES or len(self.operations) > MAX_OPERATIONS:
            raise TooLarge(
                f"A transaction has {len(self.compares)} compares and {len(self.operations)} "
                f"operations; etcd allows {MAX_COMPARES} and {MAX_OPERATIONS}.",
                compares=len(self.compares),
                operations=len(self.operations),
            )
        if self.size_bytes > MAX_REQUEST_BYTES:
            raise TooLarge(
                f"A transaction has {self.size_bytes} bytes; etcd allows {MAX_REQUEST_BYTES}.",
                size_bytes=self.size_bytes,
            )
        written = {operation.key for operation in self.operations}
        if len(written) != len(self.operations):
            msg = "a transaction writes a key twice"
            raise ValueError(msg)

    @property
    def size_bytes(self) -> int:
        """Upper bound of the request's size on the wire, the gets of the else branch included."""
        compared = sum(2 * (len(compare.key) + _OVERHEAD_BYTES) for compare in self.compares)
        written = sum(
            len(op.key) + _OVERHEAD_BYTES + (len(op.value) if isinstance(op, Put) else 0)
            for op in self.operations
        )
        return compared + written


@dataclass(frozen=True, slots=True)
class KV:
    """One key as stored. `mod_revision` is when it was last written."""

    key: bytes
    value: bytes
    create_revision: int
    mod_revision: int
    lease_id: int = 0


@dataclass(frozen=True, slots=True)
class Committed:
    """The transaction was applied at `revision`."""

    revision: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A compare failed and nothing was written; `present` holds every compared key (or None)."""

    revision: int
    present: Mapping[bytes, KV | None]
