"""Rollbacks of the store that an operator has accepted: who, why, and what was lost (R13)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final

from bps.checkpoints.model import signature_of, signature_verifies
from bps.core import keys
from bps.core.codec import Decimal, Record, Sha256, TimeMs
from bps.core.errors import NotFound, ReceiptRefuted
from bps.core.ports import Prefix, Store
from bps.core.txn import KV
from bps.keyring.model import KeyId
from bps.keyring.public_key import PublicKey
from bps.keyring.statement import Signer
from bps.plans.cloudevents import rfc3339

ROLLBACK_TYPE: Final = "application/vnd.bps.rollback+json"
MAX_READ: Final = 100
"""The newest ones that are looked at; each is an operator's act after a disaster."""


class LostCheckpoint(Record):
    """A checkpoint that a mirror holds and the store does not; its hash names all before it."""

    KIND: ClassVar[str] = "lost_checkpoint"

    seq: Decimal
    hash: Sha256


class AcceptedRollback(Record):
    """`rollbacks/{n}`: immutable. A mirror whose last checkpoint is in `lost` may go on.

    `seq` and `hash` are the end of the store's chain then (0 and zeros: it had none): the new chain
    begins after it. `signature` is base64 of Ed25519 over the DSSE encoding of this record without
    `signature`: a mirror takes it from a key that it trusts, so that who can write to etcd alone
    cannot make a mirror forget.
    """

    KIND: ClassVar[str] = "rollback"

    n: Decimal
    by: str
    reason: str
    time_ms: TimeMs
    lost: list[LostCheckpoint]
    seq: Decimal
    hash: Sha256
    key_id: KeyId
    signature: str

    @classmethod
    def signed(cls, signer: Signer, **fields: Any) -> AcceptedRollback:  # noqa: ANN401 - its fields
        """A record with its signature. Pure: Ed25519 is deterministic."""
        unsigned = cls(**fields, key_id=signer.public.key_id, signature="")
        return unsigned.model_copy(
            update={"signature": signature_of(unsigned, signer, ROLLBACK_TYPE)}
        )

    def covers(self, seq: int, hash_: str) -> bool:
        """Whether a mirror that ends with this checkpoint was accepted as lost."""
        return any((each.seq, each.hash) == (seq, hash_) for each in self.lost)

    @property
    def told(self) -> str:
        """One sentence for a human."""
        first, last = self.lost[0].seq, self.lost[-1].seq
        what = f"checkpoint {last}" if first == last else f"checkpoints {first} to {last}"
        when = rfc3339(self.time_ms)
        return f"Rollback {self.n} was accepted by {self.by} at {when}, {what} lost: {self.reason}"


def is_signed_by(stored: KV, key: PublicKey) -> bool:
    """Whether `key` signed the accepted rollback as it is stored."""
    return signature_verifies(stored.value, key, ROLLBACK_TYPE)


async def accepted_rollbacks(store: Store) -> list[tuple[AcceptedRollback, KV]]:
    """The newest 100, the last first. One round trip. Raises MalformedRecord, SchemaTooNew."""
    wanted = Prefix(keys.ROLLBACKS, limit=MAX_READ, descending=True)
    found: Sequence[KV] = (await store.snapshot([wanted])).answers[0]
    return [(AcceptedRollback.decode(kv.value, key=kv.key), kv) for kv in found]


@asynccontextmanager
async def naming_rollbacks(store: Store, plan: str, *, receipt: bool) -> AsyncIterator[None]:
    """Around a proof: a receipt that is refuted, or whose plan is gone, names the last rollback.

    Raises:
        ReceiptRefuted: the same, with what was accepted as lost; facts: rollback.
    """
    try:
        yield
    except (ReceiptRefuted, NotFound) as error:
        found = await accepted_rollbacks(store) if receipt else []
        if not found:
            raise
        last = found[0][0]
        facts = {**error.facts, "plan": plan, "rollback": str(last.n)}
        refuted = ReceiptRefuted(f"{error.message} {last.told}", **facts)
        raise refuted.advising(
            "The receipt is of what the rollback lost, or is false: do the act anew if it is still "
            "wanted (docs/playbooks/restored-snapshot.md)."
        ) from None
