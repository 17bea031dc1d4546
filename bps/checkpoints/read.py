"""Reading checkpoints: for the edges."""

from __future__ import annotations

from dataclasses import dataclass

from bps.checkpoints.model import Checkpoint, checkpoint_at, hash_of
from bps.checkpoints.proof import check_signature
from bps.core import keys
from bps.core.errors import MalformedRecord, NotFound
from bps.core.ports import Key, Store
from bps.core.txn import KV
from bps.keyring.read import read_registry
from bps.keyring.registry import Registry


@dataclass(frozen=True, slots=True)
class Named:
    """A checkpoint, and its name in the chain: the SHA-256 of its stored bytes."""

    checkpoint: Checkpoint
    hash: str


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    """Checkpoints in their order; `last` is the number to continue after, where others follow."""

    items: list[Named]
    last: int | None
    revision: int


async def checkpoints_page(store: Store, after: int, limit: int) -> CheckpointPage:
    """Checkpoints after number `after`. Two round trips.

    Raises:
        BadSignature: one of them is not signed by a registered key.
        MalformedRecord: one is none, or lies at another one's place.
    """
    start, end = keys.checkpoint(after + 1), keys.after_prefix(keys.CHECKPOINTS)
    page = await store.page(start, end, limit=limit)
    # Afterwards, so that it has the keys of all that sign in the page.
    registry = await read_registry(store)
    items = [_named(kv, registry) for kv in page.kvs]
    last = items[-1].checkpoint.seq if page.more and items else None
    return CheckpointPage(items, last, page.revision)


async def one_checkpoint(store: Store, seq: int) -> tuple[Named, int]:
    """Checkpoint `seq`, and the revision at which it was read. Two round trips.

    Raises:
        NotFound: there is none of that number.
        BadSignature, MalformedRecord: as `checkpoints_page`.
    """
    snapshot = await store.snapshot([Key(keys.checkpoint(seq))])
    found = snapshot.answers[0]
    if not found:
        raise NotFound(f"There is no checkpoint {seq}.", checkpoint=str(seq))
    return _named(found[0], await read_registry(store)), snapshot.revision


def _named(kv: KV, registry: Registry) -> Named:
    seq = keys.last_number(kv.key)
    if seq is None:
        where = kv.key.decode(errors="replace")
        raise MalformedRecord(f"{where} is no checkpoint's key.", key=where)
    checkpoint = checkpoint_at(seq, kv.value)
    key_id = checkpoint.key_id
    check_signature(checkpoint, kv, registry.keys.get(key_id), registry.written.get(key_id, 0))
    return Named(checkpoint, hash_of(kv.value))
