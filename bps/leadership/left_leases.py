"""Leases of ended terms that the store could not be told of: they go before the next campaign."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bps.core.errors import StoreError, Unavailable
from bps.core.ports import Store

_REVOKE_S = 1.0
"""How long one revocation may take; it is tried again before the next campaign."""


class LeftLeases:
    """Shared by the terms of one process, one after the other."""

    def __init__(self) -> None:
        self._ids: set[int] = set()

    def __len__(self) -> int:
        return len(self._ids)

    async def give_up(self, store: Store, lease_id: int) -> None:
        """Revoke a lease, or remember it: at most 1 s. Never raises store errors."""
        self._ids.add(lease_id)
        with suppress(StoreError):
            await self._revoke(store, lease_id)

    async def revoke(self, store: Store) -> None:
        """Revoke all that are left; a round trip each.

        Raises:
            StoreError: the store still does not answer; what is left stays so.
        """
        for lease_id in sorted(self._ids):
            await self._revoke(store, lease_id)

    async def _revoke(self, store: Store, lease_id: int) -> None:
        try:
            async with asyncio.timeout(_REVOKE_S):
                await store.lease_revoke(lease_id)
        except TimeoutError:
            msg = "etcd has not taken the end of the term before."
            raise Unavailable(msg, lease_id=str(lease_id)) from None
        self._ids.discard(lease_id)
