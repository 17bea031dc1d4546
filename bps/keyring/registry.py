"""The registry as a decision sees it, and the rule of who may change it.

With fewer than three holders an operator's word is enough. From three on, a majority of the holders
must approve each change, and it never falls back below three. All keys are read together with
`key-registry`, which each change compares and rewrites, so that no change overtakes another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bps.core import keys
from bps.core.codec import canonical_json, sha256_hex
from bps.core.errors import (
    ApprovalsMissing,
    InvalidInput,
    LimitExceeded,
    MalformedRecord,
    NotFound,
    WrongState,
)
from bps.core.ports import Key, Prefix, Read
from bps.core.txn import KV, Compare, Put, unchanged
from bps.keyring.model import (
    MAX_APPROVALS,
    MAX_KEYS,
    Action,
    Approval,
    KeyRecord,
    KeyRegistry,
    KeyStatement,
    NewKey,
    Purpose,
)
from bps.keyring.statement import signed_by
from bps.writepath.view import View

CUSTODY_HOLDERS: Final = 3
"""From so many holders on, an operator's word alone changes nothing."""
MAX_APPROVAL_MS: Final = 30 * 24 * 3_600_000
_STORE_ID_LENGTH: Final = 32


def registry_reads() -> list[Read]:
    """What `Registry.of` reads: at most 500 keys and the counter."""
    return [Key(keys.KEY_REGISTRY), Prefix(keys.KEYS)]


@dataclass(frozen=True, slots=True)
class Registry:
    """All keys by their ids, and the counter; `mod_revision` 0 where nothing was registered yet.

    `written` has the revision that last wrote each key's record: its revocation, where it has one.
    """

    keys: dict[str, KeyRecord]
    counter: KeyRegistry | None
    mod_revision: int
    written: dict[str, int]

    @classmethod
    def of(cls, view: View) -> Registry:
        """From the view of a decision. Raises NotRead, MalformedRecord, SchemaTooNew."""
        counter = view.get(keys.KEY_REGISTRY)
        return cls.from_stored(counter, view.under(keys.KEYS))

    @classmethod
    def from_stored(cls, counter: KV | None, stored: Sequence[KV]) -> Registry:
        """From what lies at `key-registry` and below `keys/`."""
        records = [(key_at(kv), kv.mod_revision) for kv in stored]
        return cls(
            {record.key_id: record for record, _ in records},
            KeyRegistry.decode(counter.value) if counter else None,
            counter.mod_revision if counter else 0,
            {record.key_id: revision for record, revision in records},
        )

    @property
    def holders(self) -> frozenset[str]:
        """Who holds a valid key with the purpose `holder`."""
        return frozenset(key.holder for key in self.keys.values() if key.may(Purpose.HOLDER))

    @property
    def in_custody(self) -> bool:
        """Whether changes need approvals."""
        return len(self.holders) >= CUSTODY_HOLDERS

    @property
    def approvals_needed(self) -> int:
        """A majority of the holders; 0 where an operator's word is enough."""
        return len(self.holders) // 2 + 1 if self.in_custody else 0

    @property
    def sequence(self) -> int:
        """How many changes there were."""
        return self.counter.sequence if self.counter else 0

    def need(self, key_id: str) -> KeyRecord:
        """A key that is not revoked. Raises NotFound, WrongState."""
        found = self.keys.get(key_id)
        if found is None:
            msg = f"There is no key {key_id}."
            raise NotFound(msg, key_id=key_id).advising("Choose one of `bps keys list`.")
        if not found.valid:
            raise WrongState(f"Key {key_id} is revoked already.", key_id=key_id).advising(
                "Nothing is left to do with this key; `bps keys add` registers a new one."
            )
        return found

    def statement(
        self, action: Action, key_id: str, new: NewKey | None, expires_ms: int
    ) -> KeyStatement:
        """What holders sign for this change. Raises WrongState before the first registration."""
        if self.counter is None:
            msg = "No key is registered yet; the first one needs no approval."
            raise WrongState(msg).advising("Register it at once: `bps keys add`.")
        return KeyStatement(
            store=self.counter.store,
            action=action,
            key_id=key_id,
            new=new,
            sequence=self.sequence,
            expires_ms=expires_ms,
        )

    def check_approved(
        self,
        action: Action,
        key_id: str,
        new: NewKey | None,
        approvals: Sequence[Approval],
        now_ms: int,
    ) -> list[Approval]:
        """The approvals that count, one a holder; none where an operator's word is enough.

        The key that is revoked or replaced has no say in it; its holder's other keys have.

        Raises:
            ApprovalsMissing: facts: needed, counted, and why approvals were left out.
        """
        needed = self.approvals_needed
        if not needed:
            return []
        counted: dict[str, Approval] = {}
        refused: list[str] = []
        for approval in approvals[:MAX_APPROVALS]:
            why = self._flaw(approval, action, key_id, new, now_ms)
            if why is None:
                counted[self.keys[approval.key_id].holder] = approval
            else:
                refused.append(f"{approval.key_id}: {why}")
        if len(counted) < needed:
            left_out = f" Left out: {'; '.join(refused)}." if refused else ""
            msg = (
                f"{len(self.holders)} holders keep the key registry; {needed} of them must approve "
                f"this change, and {len(counted)} did.{left_out}"
            )
            raise ApprovalsMissing(
                msg, needed=needed, counted=len(counted), refused=[*refused], key_id=key_id
            )
        return list(counted.values())

    def _flaw(
        self, approval: Approval, action: Action, key_id: str, new: NewKey | None, now_ms: int
    ) -> str | None:
        """Why an approval does not count."""
        key = self.keys.get(approval.key_id)
        if key is None or not key.may(Purpose.HOLDER):
            return "no valid holder's key"
        if action != "add" and approval.key_id == key_id:
            return f"a key has no say in its own {_END[action]}"
        statement = KeyStatement.decode(approval.statement.encode())
        if statement != self.statement(action, key_id, new, statement.expires_ms):
            return "it approves another change, or the registry has changed since"
        if not now_ms < statement.expires_ms <= now_ms + MAX_APPROVAL_MS:
            return "it has expired, or would be valid for more than 30 days"
        return None if signed_by(approval, key.public) else "its signature does not verify"

    @property
    def unmoved(self) -> Compare:
        """What proves that no key has changed."""
        return unchanged(keys.KEY_REGISTRY, self.mod_revision)

    def changed(
        self, records: Sequence[KeyRecord], now_ms: int
    ) -> tuple[Registry, tuple[Compare, ...], tuple[Put, ...]]:
        """The registry after `records` are put: with the compares and puts of the change.

        Raises:
            WrongState: fewer than three holders would be left of three or more.
            LimitExceeded: more than 500 keys.
        """
        after_keys = {**self.keys, **{record.key_id: record for record in records}}
        counter = KeyRegistry(
            store=self.counter.store if self.counter else _store_id(records[0], now_ms),
            sequence=self.sequence + 1,
        )
        after = replace(self, keys=after_keys, counter=counter)
        if self.in_custody and not after.in_custody:
            msg = f"Fewer than {CUSTODY_HOLDERS} holders would be left; rotate the key instead."
            raise WrongState(msg, holders=len(after.holders)).advising(
                "Put a new key in its place (`bps keys rotate`), or add another holder's first."
            )
        if len(after_keys) > MAX_KEYS:
            raise LimitExceeded(f"A registry has at most {MAX_KEYS} keys.", limit=MAX_KEYS)
        return (
            after,
            (self.unmoved,),
            (
                *(Put(keys.key(record.key_id), record.encode()) for record in records),
                Put(keys.KEY_REGISTRY, counter.encode()),
            ),
        )


_END = {"revoke": "revocation", "rotate": "rotation"}


def key_at(kv: KV) -> KeyRecord:
    """The key that lies at `kv.key`.

    Raises:
        MalformedRecord, SchemaTooNew: it is another one's, damaged, or of a newer release.
    """
    record = KeyRecord.decode(kv.value)
    where = kv.key.decode(errors="replace")
    try:
        own = record.public.key_id
    except InvalidInput:
        raise MalformedRecord(f"The key at {where} is none.", key=where) from None
    if kv.key != keys.key(record.key_id) or own != record.key_id:
        raise MalformedRecord(f"The key at {where} is another one.", key=where)
    return record


def _store_id(first: KeyRecord, now_ms: int) -> str:
    """The store's own id: from the first key and its instant, so that deciding it stays pure."""
    seed = canonical_json({"public_key": first.public_key, "by": first.added_by, "ms": str(now_ms)})
    return sha256_hex(seed)[:_STORE_ID_LENGTH]
