"""Pruning: records of credentials that ended long ago make room for new ones."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bps.core import keys
from bps.core.codec import Record
from bps.core.ports import Key, Read, Store
from bps.core.txn import Delete, unchanged
from bps.identity.credential import Credential, credential_at, registry_in
from bps.identity.read import credentials_page
from bps.writepath.command import Commit, Decision, Noop, OperationId, Outcome, operation
from bps.writepath.view import View

DEFAULT_AGE_S = 90 * 86_400
MAX_PRUNED = 100
"""Records that one transaction removes: etcd takes 128 compares."""
_PAGE = 500


class Pruning(Record):
    """The ids whose records were removed; `more`: others that ended as long ago are left."""

    KIND: ClassVar[str] = "pruning"

    pruned: list[str]
    more: bool


@dataclass(frozen=True, slots=True)
class PruneTokens:
    """Command: remove those of `candidates` (at most 100 ids) that ended `older_than_s` ago.

    The candidates are no part of the operation's digest: a repeated operation finds others.
    """

    principal: str
    op_id: str
    older_than_s: int
    candidates: tuple[str, ...]
    more: bool = False

    result_type = Pruning
    plan: ClassVar[None] = None

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {"older_than_s": self.older_than_s}
        return operation(self.principal, self.op_id, "prune_tokens", fields)

    def reads(self) -> Sequence[Read]:
        """The candidates and the registry."""
        return [*(Key(keys.token(name)) for name in self.candidates), Key(keys.TOKEN_REGISTRY)]

    def decide(self, view: View, now_ms: int) -> Decision[Pruning]:
        """Commit, or Noop where none of them can go."""
        before_ms = now_ms - self.older_than_s * 1_000
        stored = view.get_all(keys.token(name) for name in self.candidates)
        gone = [kv for kv in stored if kv and prunable(credential_at(kv), before_ms)]
        registry, unmoved = registry_in(view)
        result = Pruning(pruned=[credential_at(kv).id for kv in gone], more=self.more)
        if not gone:
            return Noop(result, "no credential ended that long ago", (unmoved,))
        compares = (unchanged(kv.key, kv.mod_revision) for kv in gone)
        deletes = (Delete(kv.key) for kv in gone)
        left = registry.without(result.pruned)
        return Commit((*compares, unmoved), (*deletes, left.put()), result)


def prunable(credential: Credential, before_ms: int) -> bool:
    """Whether it ended by `before_ms` and nothing needs its record any more.

    A certificate's revoked name is kept for ever: its record is what refuses the certificate, which
    lasts as long as its authority says. A secret's id is random and never comes back.
    """
    if credential.revoked_ms is not None:
        return credential.proof == "secret" and credential.revoked_ms <= before_ms
    return credential.expires_ms is not None and credential.expires_ms <= before_ms


async def prune_command(
    store: Store, principal: str, op_id: str, older_than_s: int, now_ms: int
) -> PruneTokens:
    """The command for the first 100 records that can go. One round trip per 500 records."""
    before_ms = now_ms - older_than_s * 1_000
    found: list[str] = []
    after: str | None = ""
    while after is not None and len(found) <= MAX_PRUNED:
        page = await credentials_page(store, after, _PAGE)
        found += [each.id for each in page.items if prunable(each, before_ms)]
        after = page.last
    more = len(found) > MAX_PRUNED
    return PruneTokens(principal, op_id, older_than_s, tuple(found[:MAX_PRUNED]), more)


async def prune_all(
    step: Callable[[str], Awaitable[Outcome[Pruning]]], op_id: str
) -> Outcome[Pruning]:
    """Call `step` until nothing is left; repeated with the same `op_id`, with the same ids again.

    The first step has `op_id` itself, the others have ids derived from it.
    """
    outcome = await step(op_id)
    pruned, how = list(outcome.result.pruned), outcome.how
    number = 1
    while outcome.result.more:
        number += 1
        outcome = await step(str(uuid.uuid5(uuid.NAMESPACE_OID, f"{op_id}/{number}")))
        pruned += outcome.result.pruned
        if outcome.how == "committed":
            how = "committed"
    return Outcome(Pruning(pruned=pruned, more=False), how, outcome.why, outcome.revision)
