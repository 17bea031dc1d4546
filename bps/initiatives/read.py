"""Reading initiatives: for the edges."""

from __future__ import annotations

from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import NotFound
from bps.core.ports import Key, Store
from bps.initiatives.model import Initiative, initiative_at

_PAGE = 500


@dataclass(frozen=True, slots=True)
class InitiativePage:
    """Some initiatives at one revision; `last` is where to go on after, None at the end."""

    items: list[Initiative]
    last: str | None
    revision: int


async def initiatives_page(store: Store, after: str, limit: int) -> InitiativePage:
    """Up to `limit` initiatives with ids above `after` (empty: from the first). One round trip.

    What lies below an initiative is passed over, so that a page can hold fewer.
    """
    start = keys.initiative(after) + b"\0" if after else keys.INITIATIVES
    page = await store.page(start, keys.after_prefix(keys.INITIATIVES), limit=limit)
    names = [kv.key.removeprefix(keys.INITIATIVES) for kv in page.kvs]
    found = [
        initiative_at(kv) for kv, name in zip(page.kvs, names, strict=True) if b"/" not in name
    ]
    last = names[-1].decode() if page.more and names else None
    return InitiativePage(found, last, page.revision)


async def all_initiatives(store: Store) -> list[Initiative]:
    """Every initiative, by id. One round trip per 500 records."""
    found: list[Initiative] = []
    after: str | None = ""
    while after is not None:
        page = await initiatives_page(store, after, _PAGE)
        found += page.items
        after = page.last
    return found


async def initiative(store: Store, initiative_id: str) -> tuple[Initiative, int]:
    """One initiative, and the revision at which it was read. One round trip. Raises NotFound."""
    snapshot = await store.snapshot([Key(keys.initiative(initiative_id))])
    if not snapshot.answers[0]:
        msg = f"There is no initiative {initiative_id}."
        raise NotFound(msg, initiative=initiative_id).advising(
            f"Make it with `bps initiative create {initiative_id}`, or choose one of "
            "`bps initiative list`."
        )
    return initiative_at(snapshot.answers[0][0]), snapshot.revision
