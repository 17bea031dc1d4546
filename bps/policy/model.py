"""The policy record. `policy/{n}` is immutable; `policy/current` is a copy of the one in force.

The copy (instead of a bare pointer) saves a dependent read; its digest is in every event, so two
sidecars cannot disagree about the rules and a replay can judge again (design, "One write path").
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from bps.core.codec import Decimal, Record, Since, sha256_hex
from bps.core.txn import KV
from bps.policy.validator_use import DEFAULT_VALIDATORS, ValidatorUses

MAX_BLUEPRINT_BYTES = 1_048_576
"""The design's cap for one blueprint (1 MiB); a policy can only lower it."""
MAX_CONTRIBUTORS = 24
"""Contributors of one promotion that fit into one etcd transaction (design, "Promotion")."""
MAX_LIVE_DESCENDANTS = 32
"""Live RR-plans below one RR-plan whose closing still fits into one transaction."""

MAX_MERGE_PATTERNS = 128
"""Declared merge strategies of one policy."""


class Policy(Record):
    """The rules in force. All limits are upper bounds, inclusive."""

    KIND: ClassVar[str] = "policy"

    n: Decimal
    max_blueprint_bytes: Annotated[int, Field(ge=1, le=MAX_BLUEPRINT_BYTES)]
    max_contributors: Annotated[int, Field(ge=1, le=MAX_CONTRIBUTORS)]
    max_live_descendants: Annotated[int, Field(ge=0, le=MAX_LIVE_DESCENDANTS)]
    max_branches: Annotated[int, Field(ge=1, le=255)]
    """Branches of one plan; a vector clock holds them all and `canonical` (<= 256 entries)."""
    max_linked_traces: Annotated[int, Field(ge=1, le=1_000)]
    """Trace ids kept by name in one branch record; later ones are in the log and counted."""

    merge: Annotated[dict[str, str], Since(2)] = Field(default_factory=dict)
    """Merge strategies by path pattern, as `bps.merge.declared` reads them (docs/policy.md)."""
    validators: Annotated[ValidatorUses, Since(2)] = Field(default_factory=list)
    """Validators that judge each promotion; none in what was stored before schema 2."""

    @property
    def rules(self) -> dict[str, Any]:
        """All but the number."""
        return self.model_dump(exclude={"n"})


DEFAULT_POLICY = Policy(
    n=1,
    max_blueprint_bytes=MAX_BLUEPRINT_BYTES,
    max_contributors=MAX_CONTRIBUTORS,
    max_live_descendants=MAX_LIVE_DESCENDANTS,
    max_branches=255,
    max_linked_traces=64,
    validators=DEFAULT_VALIDATORS,
)
"""Written as `policy/1` at the first use of an empty store; documented in docs/policy.md."""


class PolicyInForce:
    """The decoded policy with the digest of its stored bytes, decoded once per stored version."""

    __slots__ = ("digest", "mod_revision", "policy")

    def __init__(self, kv: KV) -> None:
        self.policy = Policy.decode(kv.value, key=kv.key)
        self.digest = sha256_hex(kv.value)
        self.mod_revision = kv.mod_revision

    @property
    def etag(self) -> str:
        """`{n}-{digest}`, the entity tag without its quotes."""
        return f"{self.policy.n}-{self.digest}"
