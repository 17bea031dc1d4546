"""Reading credentials: for the edges."""

from __future__ import annotations

from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import IntegrityError
from bps.core.ports import Store
from bps.identity.credential import Credential, credential_at

_PAGE = 500


@dataclass(frozen=True, slots=True)
class CredentialPage:
    """Some credentials at one revision; `last` is where to go on after, None at the end.

    `unreadable` are those among them, by id, whose records are damaged or of a newer release: they
    let nobody in, and do not hide the others.
    """

    items: list[Credential]
    unreadable: dict[str, IntegrityError]
    last: str | None
    revision: int


async def credentials_page(store: Store, after: str, limit: int) -> CredentialPage:
    """Up to `limit` credentials with ids above `after` (empty: from the first). One round trip."""
    start = keys.token(after) + b"\0" if after else keys.TOKENS
    page = await store.page(start, keys.after_prefix(keys.TOKENS), limit=limit)
    found: list[Credential] = []
    unreadable: dict[str, IntegrityError] = {}
    names = [kv.key.removeprefix(keys.TOKENS).decode(errors="replace") for kv in page.kvs]
    for name, kv in zip(names, page.kvs, strict=True):
        try:
            found.append(credential_at(kv))
        except IntegrityError as error:
            unreadable[name] = error
    last = names[-1] if page.more and names else None
    return CredentialPage(found, unreadable, last, page.revision)


async def all_credentials(store: Store) -> CredentialPage:
    """Every credential, by id; at most 10,000. One round trip per 500."""
    found = await credentials_page(store, "", _PAGE)
    while found.last is not None:
        more = await credentials_page(store, found.last, _PAGE)
        items, unreadable = found.items + more.items, found.unreadable | more.unreadable
        found = CredentialPage(items, unreadable, more.last, more.revision)
    return found
