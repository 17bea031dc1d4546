"""An etcd whose quota is used up."""

from __future__ import annotations

import pytest

from bps.core.errors import NoSpace
from bps.core.ports import Store
from bps.core.txn import Put, Txn


async def fill(store: Store) -> int:
    """Put until there is no space; how many puts were acknowledged."""
    for n in range(100):
        try:
            await store.commit(Txn((), (Put(b"/full/%02d" % n, bytes(300_000)),)))
        except NoSpace:
            return n
    pytest.fail("the quota does not hold")
