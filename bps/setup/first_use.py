"""`bps init`: the foundation, an initiative, the first operator and the first signing key.

All in one transaction, and each only where it lacks: run again it changes nothing. What counts for
the operator is that none has a valid credential, not that the store is empty: a service may have
initialised it before. Whoever can do this has the store itself, and needs no token for anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.core import keys
from bps.core.codec import Record, TimeMs
from bps.core.ports import Key, Read
from bps.identity.create import CreateToken, NewSecret
from bps.identity.credential import registry_in
from bps.identity.roles import Role
from bps.initiatives.model import DEFAULT_INITIATIVE
from bps.keyring.change import AddKey
from bps.keyring.model import Purpose
from bps.keyring.public_key import PublicKey
from bps.keyring.registry import Registry, registry_reads
from bps.setup.initialise import Foundation, missing_initiative
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


class SetUp(Record):
    """What a store has after `bps init`. `credential` and `key_id` are those made now, if any."""

    KIND: ClassVar[str] = "set_up"

    layout: int
    policy: int
    initialised_ms: TimeMs
    initiative: str
    credential: str | None
    key_id: str | None


@dataclass(frozen=True, slots=True)
class FirstUse:
    """Command: make what lacks. `operator` gets the first token, and holds the first signing key.

    The secret's digest and the key are no part of the operation's digest: a repeated operation
    comes with others, and is answered by what the first one made.
    """

    principal: str
    op_id: str
    operator: str
    secret: NewSecret
    signing_key: PublicKey | None
    initiative: str = DEFAULT_INITIATIVE

    result_type = SetUp
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {"operator": self.operator, "initiative": self.initiative}
        return operation(self.principal, self.op_id, "first_use", fields)

    def reads(self) -> Sequence[Read]:
        """The foundation, the initiative, both registries, and the new credential's place."""
        reads = [*Foundation.reads(), *self._token.reads(), *registry_reads()]
        initiative = Key(keys.initiative(self.initiative))
        return reads if initiative in reads else [*reads, initiative]

    def decide(self, view: View, now_ms: int) -> Decision[SetUp]:
        """Commit, or Noop where nothing lacks.

        Raises:
            SchemaTooNew, MalformedRecord: see `Foundation.of`.
            InvalidId: `operator` is the service's own name.
        """
        lacking = Foundation.of(view, self.principal, now_ms)
        compares, operations = [*lacking.compares], [*lacking.operations]
        if self.initiative != DEFAULT_INITIATIVE:
            lacks, puts = missing_initiative(view, self.initiative, self.principal, now_ms)
            compares += lacks
            operations += puts
        credential = key_id = None
        if not registry_in(view)[0].has_operator(now_ms):
            created = self._token.decide(view, now_ms)
            if isinstance(created, Commit):
                compares += created.compares
                operations += created.operations
                credential = created.result.id
        if self.signing_key is not None and lacks_signer(Registry.of(view)):
            added = self._add_key(self.signing_key).decide(view, now_ms)
            if isinstance(added, Commit):
                compares += added.compares
                operations += added.operations
                key_id = added.result.key_id
        result = SetUp(
            **{name: getattr(lacking.result, name) for name in type(lacking.result).model_fields},
            initiative=self.initiative,
            credential=credential,
            key_id=key_id,
        )
        if not operations:
            return Noop(result, "the store is initialised already")
        return Commit(tuple(compares), tuple(operations), result)

    @property
    def _token(self) -> CreateToken:
        comment = "the first operator"
        roles = frozenset({Role.OPERATOR})
        return CreateToken(
            self.principal, self.op_id, self.operator, roles, self.secret, comment=comment
        )

    def _add_key(self, key: PublicKey) -> AddKey:
        return AddKey(
            self.principal,
            self.op_id,
            key,
            self.operator,
            (Purpose.CHECKPOINT,),
            "made by `bps init`",
        )


def lacks_signer(registry: Registry) -> bool:
    """Whether no key may sign checkpoints yet, and an operator's word is enough to add one."""
    return not registry.in_custody and not any(
        key.may(Purpose.CHECKPOINT) for key in registry.keys.values()
    )
