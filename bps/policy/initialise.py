"""First use of an empty store: the schema record and the default policy, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.core import keys
from bps.core.codec import SCHEMA, Record, TimeMs
from bps.core.errors import MalformedRecord, SchemaTooNew
from bps.core.ports import Key, Read
from bps.core.txn import Put, absent
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
    """The answer to `bps init`."""

    KIND: ClassVar[str] = "initialised"

    layout: int
    policy: int
    initialised_ms: TimeMs


@dataclass(frozen=True, slots=True)
class Initialise:
    """Command: prepare an empty store; on any other it changes nothing and says so."""

    principal: str
    op_id: str

    result_type = Initialised
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        return operation(self.principal, self.op_id, "initialise", {})

    def reads(self) -> Sequence[Read]:
        """The schema record and the policy in force."""
        return [Key(keys.SCHEMA), Key(keys.POLICY_CURRENT)]

    def decide(self, view: View, now_ms: int) -> Decision[Initialised]:
        """Commit or Noop.

        Raises:
            SchemaTooNew: a newer release laid the store out.
            MalformedRecord: the schema or the policy is missing, but not both.
        """
        stored, policy = view.get(keys.SCHEMA), view.get(keys.POLICY_CURRENT)
        if (stored is None) != (policy is None):
            lost = (keys.SCHEMA if stored is None else keys.POLICY_CURRENT).decode()
            raise MalformedRecord(f"The store has lost {lost}; restore it from a backup.", key=lost)
        if stored is not None:
            schema = StoreSchema.decode(stored.value)
            if schema.layout > SCHEMA:
                msg = f"The store has layout {schema.layout}; this release knows up to {SCHEMA}."
                raise SchemaTooNew(msg, schema=schema.layout, readable=SCHEMA)
            result = Initialised(
                layout=schema.layout,
                policy=Policy.decode(policy.value).n if policy else 0,
                initialised_ms=schema.initialised_ms,
            )
            return Noop(result, "the store is initialised already")
        schema = StoreSchema(layout=SCHEMA, initialised_ms=now_ms, initialised_by=self.principal)
        default = DEFAULT_POLICY.encode()
        return Commit(
            (absent(keys.SCHEMA), absent(keys.POLICY_CURRENT)),
            (
                Put(keys.SCHEMA, schema.encode()),
                Put(keys.policy(DEFAULT_POLICY.n), default),
                Put(keys.POLICY_CURRENT, default),
            ),
            Initialised(layout=SCHEMA, policy=DEFAULT_POLICY.n, initialised_ms=now_ms),
        )
