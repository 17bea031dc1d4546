"""Putting another policy in force: a new version, never a change of one (R15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bps.core import keys
from bps.core.codec import canonical_json
from bps.core.errors import InvalidInput
from bps.core.ports import Key, Read
from bps.core.txn import Put, absent, unchanged
from bps.policy.model import Policy, PolicyInForce
from bps.policy.read import not_initialised
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.precondition import IfMatch, check_if_match, operation_fields
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class ReplacePolicy:
    """Command: put `rules`, a whole policy without its number, in force as the next version.

    `n` is the number that the caller expects it to get, or None. Every command compares the policy
    in force, so that none commits under rules that were replaced meanwhile.
    Cost: one snapshot, one transaction with 2 puts beside the operation's record.
    """

    principal: str
    op_id: str
    rules: dict[str, Any]
    n: int | None
    if_match: IfMatch

    result_type = Policy
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields: dict[str, Any] = {
            "rules": self.rules,
            "n": None if self.n is None else str(self.n),
            **operation_fields(self.if_match),
        }
        return operation(self.principal, self.op_id, "replace_policy", fields)

    def reads(self) -> Sequence[Read]:
        """The policy in force."""
        return [Key(keys.POLICY_CURRENT)]

    def decide(self, view: View, now_ms: int) -> Decision[Policy]:  # noqa: ARG002 - timeless
        """Commit, or Noop where these rules are in force already.

        Raises:
            PreconditionFailed: another policy is in force than `if_match` names.
            InvalidInput: `n` is not the next number.
            ConfigError: the store was never initialised.
        """
        stored = view.get(keys.POLICY_CURRENT)
        if stored is None:
            raise not_initialised()
        in_force = PolicyInForce(stored)
        check_if_match(self.if_match, in_force.etag, "The policy")
        before = in_force.policy
        same = (unchanged(keys.POLICY_CURRENT, stored.mod_revision),)
        # As bytes, for Python holds true and 1 for equal.
        if canonical_json(self.rules) == canonical_json(before.rules):
            return Noop(before, f"policy {before.n} has these rules already", same)
        if self.n not in {None, before.n + 1}:
            msg = f"The next policy is number {before.n + 1}, not {self.n}; leave `n` out."
            raise InvalidInput(msg, field="n")
        policy = Policy.model_validate({**self.rules, "n": before.n + 1})
        encoded = policy.encode()
        return Commit(
            (*same, absent(keys.policy(policy.n))),
            (Put(keys.policy(policy.n), encoded), Put(keys.POLICY_CURRENT, encoded)),
            policy,
        )
