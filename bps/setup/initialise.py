"""First use of an empty store: schema, default policy, default initiative, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.core import keys
from bps.core.codec import NEXT_SCHEMA, SCHEMA, Record, TimeMs
from bps.core.errors import MalformedRecord, SchemaTooNew
from bps.core.ports import Key, Read
from bps.core.txn import Condition, Operation, Put, absent
from bps.initiatives.model import DEFAULT_INITIATIVE, DEFAULT_ZONE, Initiative
from bps.policy.model import DEFAULT_POLICY, Policy
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


class StoreSchema(Record):
    """`schema`: which release family laid the store out, and when."""

    KIND: ClassVar[str] = "store_schema"

    layout: int
    initialised_ms: TimeMs
    initialised_by: str


class Initialised(Record):
    """The foundation of a store: its layout, the number of the policy in force, since when."""

    KIND: ClassVar[str] = "initialised"

    layout: int
    policy: int
    initialised_ms: TimeMs


@dataclass(frozen=True, slots=True)
class Foundation:
    """What lacks of the foundation, and the foundation as it is then."""

    compares: tuple[Condition, ...]
    operations: tuple[Operation, ...]
    result: Initialised

    @classmethod
    def reads(cls) -> list[Read]:
        """The schema record, the policy in force, the default initiative."""
        return [
            Key(keys.SCHEMA),
            Key(keys.POLICY_CURRENT),
            Key(keys.initiative(DEFAULT_INITIATIVE)),
        ]

    @classmethod
    def of(cls, view: View, principal: str, now_ms: int) -> Foundation:
        """Nothing lacks in a store that this release initialised; one of 0.1 has no initiative.

        Raises:
            SchemaTooNew: a newer release laid the store out.
            MalformedRecord: the schema or the policy is missing, but not both.
        """
        stored, policy = view.get(keys.SCHEMA), view.get(keys.POLICY_CURRENT)
        if (stored is None) != (policy is None):
            lost = (keys.SCHEMA if stored is None else keys.POLICY_CURRENT).decode()
            raise MalformedRecord(f"The store has lost {lost}; restore it from a backup.", key=lost)
        compares: tuple[Condition, ...] = ()
        operations: tuple[Operation, ...] = ()
        if stored is None:
            made = StoreSchema(layout=SCHEMA, initialised_ms=now_ms, initialised_by=principal)
            default = DEFAULT_POLICY.encode()
            compares = (absent(keys.SCHEMA), absent(keys.POLICY_CURRENT))
            operations = (
                Put(keys.SCHEMA, made.encode()),
                Put(keys.policy(DEFAULT_POLICY.n), default),
                Put(keys.POLICY_CURRENT, default),
            )
            result = Initialised(layout=SCHEMA, policy=DEFAULT_POLICY.n, initialised_ms=now_ms)
        else:
            schema = StoreSchema.decode(stored.value)
            if schema.layout > NEXT_SCHEMA:
                msg = (
                    f"The store has layout {schema.layout}; this release knows up to {NEXT_SCHEMA}."
                )
                raise SchemaTooNew(msg, schema=schema.layout, readable=NEXT_SCHEMA)
            result = Initialised(
                layout=schema.layout,
                policy=Policy.decode(policy.value).n if policy else 0,
                initialised_ms=schema.initialised_ms,
            )
        lacks, puts = missing_initiative(view, DEFAULT_INITIATIVE, principal, now_ms)
        return cls((*compares, *lacks), (*operations, *puts), result)


@dataclass(frozen=True, slots=True)
class Initialise:
    """Command: prepare an empty store; on any other it changes nothing and says so.

    What every leader runs before it writes. Credentials and keys are `FirstUse`'s.
    """

    principal: str
    op_id: str

    result_type = Initialised
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        return operation(self.principal, self.op_id, "initialise", {})

    def reads(self) -> Sequence[Read]:
        """The three records of the foundation."""
        return Foundation.reads()

    def decide(self, view: View, now_ms: int) -> Decision[Initialised]:
        """Commit or Noop. Raises SchemaTooNew, MalformedRecord; see `Foundation.of`."""
        lacking = Foundation.of(view, self.principal, now_ms)
        if not lacking.operations:
            return Noop(lacking.result, "the store is initialised already")
        return Commit(lacking.compares, lacking.operations, lacking.result)


def missing_initiative(
    view: View, initiative: str, principal: str, now_ms: int
) -> tuple[tuple[Condition, ...], tuple[Put, ...]]:
    """The compare and put that make `initiative`; nothing where it is there. Raises NotRead."""
    key = keys.initiative(initiative)
    if view.get(key) is not None:
        return (), ()
    made = Initiative(
        initiative=initiative,
        title="",
        zone=DEFAULT_ZONE,
        created_ms=now_ms,
        created_by=principal,
    )
    return (absent(key),), (made.put(),)
