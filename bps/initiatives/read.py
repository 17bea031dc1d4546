"""Reading initiatives: for the edges."""

from __future__ import annotations

from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import IntegrityError, NotFound
from bps.core.ports import Key, Store
from bps.initiatives.model import Initiative, initiative_at

_PAGE = 500


@dataclass(frozen=True, slots=True)
class InitiativePage:
    """Some initiatives at one revision; `last` is where to go on after, None at the end.

    `unreadable` are those among them, by id, whose records are damaged or of a newer release: they
    do not hide the others.
    """

    items: list[Initiative]
    unreadable: dict[str, IntegrityError]
    last: str | None
    revision: int


async def initiatives_page(store: Store, after: str, limit: int) -> InitiativePage:
    """Up to `limit` initiatives with ids above `after` (empty: from the first). One round trip.

    What lies below an initiative is passed over, so that a page can hold fewer.
    """
    start = keys.initiative(after) + b"\0" if after else keys.INITIATIVES
    page = await store.page(start, keys.after_prefix(keys.INITIATIVES), limit=limit)
    found: list[Initiative] = []
    unreadable: dict[str, IntegrityError] = {}
    names = [kv.key.removeprefix(keys.INITIATIVES).decode(errors="replace") for kv in page.kvs]
    for name, kv in zip(names, page.kvs, strict=True):
        if "/" in name:
            continue
        try:
            found.append(initiative_at(kv))
        except IntegrityError as error:
            unreadable[name] = error
    last = names[-1] if page.more and names else None
    return InitiativePage(found, unreadable, last, page.revision)


async def all_initiatives(store: Store) -> InitiativePage:
    """Every initiative, by id. One round trip per 500 records."""
    found = await initiatives_page(store, "", _PAGE)
    while found.last is not None:
        more = await initiatives_page(store, found.last, _PAGE)
        items, unreadable = found.items + more.items, found.unreadable | more.unreadable
        found = InitiativePage(items, unreadable, more.last, more.revision)
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
