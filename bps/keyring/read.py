"""Reading the registry: for the edges and for whoever checks signatures."""

from __future__ import annotations

from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import IntegrityError
from bps.core.ports import Prefix, Store
from bps.keyring.model import KeyRecord
from bps.keyring.registry import Registry, key_at, registry_reads


@dataclass(frozen=True, slots=True)
class KeyList:
    """All keys at one revision, to be shown.

    `unreadable` are those among them, by id, whose records are damaged or of a newer release: they
    do not hide the others, but nothing is signed for or changed while there is one.
    """

    items: list[KeyRecord]
    unreadable: dict[str, IntegrityError]
    revision: int


async def read_registry(store: Store) -> Registry:
    """All keys and the counter at one revision. One round trip, at most 500 keys.

    Raises:
        MalformedRecord, SchemaTooNew: a stored key cannot be trusted.
    """
    counter, stored = (await store.snapshot(registry_reads())).answers
    return Registry.from_stored(counter[0] if counter else None, stored)


async def all_keys(store: Store) -> KeyList:
    """All keys, the revoked ones too. One round trip, at most 500 keys."""
    snapshot = await store.snapshot([Prefix(keys.KEYS)])
    found: list[KeyRecord] = []
    unreadable: dict[str, IntegrityError] = {}
    for kv in snapshot.answers[0]:
        try:
            found.append(key_at(kv))
        except IntegrityError as error:
            unreadable[kv.key.removeprefix(keys.KEYS).decode(errors="replace")] = error
    return KeyList(found, unreadable, snapshot.revision)
