"""Reading credentials: for the edges."""

from __future__ import annotations

from dataclasses import dataclass

from bps.core import keys
from bps.core.ports import Store
from bps.identity.credential import Credential, credential_at

_PAGE = 500


@dataclass(frozen=True, slots=True)
class CredentialPage:
    """Some credentials at one revision; `last` is where to go on after, None at the end."""

    items: list[Credential]
    last: str | None
    revision: int


async def credentials_page(store: Store, after: str, limit: int) -> CredentialPage:
    """Up to `limit` credentials with ids above `after` (empty: from the first). One round trip."""
    start = keys.token(after) + b"\0" if after else keys.TOKENS
    page = await store.page(start, keys.after_prefix(keys.TOKENS), limit=limit)
    found = [credential_at(kv) for kv in page.kvs]
    return CredentialPage(found, found[-1].id if page.more and found else None, page.revision)


async def all_credentials(store: Store) -> list[Credential]:
    """Every credential, by id; at most 10,000. One round trip per 500."""
    found: list[Credential] = []
    after: str | None = ""
    while after is not None:
        page = await credentials_page(store, after, _PAGE)
        found += page.items
        after = page.last
    return found
