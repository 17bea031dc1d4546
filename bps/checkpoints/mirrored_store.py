"""Whose store a mirror is of: told before it is taken for a rollback of its own (R13)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bps.checkpoints.mirror import Mirror
from bps.checkpoints.rollback import agree
from bps.core.errors import ConfigError, StoreRolledBack
from bps.core.ports import Store
from bps.files import Directory
from bps.keyring.read import read_registry

STORE_NAME: Final = "store-id"
"""The id that `key-registry` gives the store: a restored snapshot keeps it."""
_LIMIT_BYTES: Final = 256


async def check_mirrored_store(store: Store, path: Path) -> None:
    """Refuse a mirror of another store; note whose it is where the store holds what it holds.

    A store without an id, or a mirror that has noted none, cannot be told from a store that lost
    its data; the sidecar says so then. Blocks for small files. Cost: two round trips.

    Raises:
        ConfigError: the mirror is of another store, or cannot be used. facts: mirrored, found.
        ChainBroken, MalformedRecord: see `Mirror.open`.
        Unavailable: the store does not answer.
    """
    counter = (await read_registry(store)).counter
    found = counter.store if counter is not None else ""
    mirror = Mirror.open(path)
    try:
        with Directory.open_root(path, create=False) as directory:
            noted = directory.read(STORE_NAME, limit=_LIMIT_BYTES)
            known = (noted.data or b"").decode(errors="replace").strip() if noted else ""
            try:
                await agree(store, mirror)
            except StoreRolledBack as error:
                if not (known and found) or known == found:
                    return
                msg = f"The mirror {path.name!r} is of store {known}, and this is store {found}."
                raise ConfigError(msg, mirrored=known, found=found).advising(
                    "Name the etcd that it is of, or another mirror_dir for this one."
                ) from error
            if found and found != known:
                directory.write_atomically(STORE_NAME, f"{found}\n".encode(), replacing=noted)
    finally:
        mirror.close()
