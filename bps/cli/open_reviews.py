"""`bps review list` without a plan: what is open of all plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bps.cli.output import Format, note, show, show_plain
from bps.cli.readable import readable
from bps.cli.review_text import list_row

if TYPE_CHECKING:
    from bps.cli.session import Session
    from bps.client.review_calls import OpenReviews
    from bps.core.ports import Store

COLUMNS = ("review", "status", "conflicts", "decided", "findings", "opened_ms", "opened_by")


async def show_open(session: Session, output: Format) -> None:
    """Print them, and say on stderr where some may be missing."""

    async def directly(store: Store) -> OpenReviews:
        from bps.client.review_calls import OpenReviews  # noqa: PLC0415 - only where used
        from bps.review.open import every_open_review  # noqa: PLC0415 - only this way

        items, why = await readable(every_open_review(store))
        return OpenReviews(items, complete=True, unreadable=why)

    found = await session.read(directly, lambda client: client.open_reviews())
    if output is Format.TABLE:
        show_plain([list_row(each) for each in found.items], output, COLUMNS)
    else:
        show(found.items, output)
    if not found.complete:
        note("not all plans have been looked at yet: some reviews may be missing; ask again")
    if found.unreadable is not None:
        raise found.unreadable
