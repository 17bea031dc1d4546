"""Creating an initiative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.core import keys
from bps.core.errors import Exists
from bps.core.ports import Key, Read
from bps.core.txn import absent, unchanged
from bps.initiatives.model import DEFAULT_ZONE, Initiative, initiative_at
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class CreateInitiative:
    """Command: make an initiative; its fields are checked by the caller."""

    principal: str
    op_id: str
    initiative: str
    title: str = ""
    zone: str = DEFAULT_ZONE

    result_type = Initiative
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {"initiative": self.initiative, "title": self.title, "zone": self.zone}
        return operation(self.principal, self.op_id, "create_initiative", fields)

    def reads(self) -> Sequence[Read]:
        """The initiative itself."""
        return [Key(keys.initiative(self.initiative))]

    def decide(self, view: View, now_ms: int) -> Decision[Initiative]:
        """Commit, or Noop where it is there with the same title and zone. Raises Exists."""
        stored = view.get(keys.initiative(self.initiative))
        if stored is None:
            made = Initiative(
                initiative=self.initiative,
                title=self.title,
                zone=self.zone,
                created_ms=now_ms,
                created_by=self.principal,
            )
            return Commit((absent(keys.initiative(self.initiative)),), (made.put(),), made)
        known = initiative_at(stored)
        if (known.title, known.zone) == (self.title, self.zone):
            why = f"initiative {self.initiative} exists already"
            return Noop(known, why, (unchanged(stored.key, stored.mod_revision),))
        msg = f"Initiative {self.initiative} exists with another title or time zone."
        raise Exists(msg, initiative=self.initiative)
