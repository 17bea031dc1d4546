"""The initiative's governance as promotions see it.

No release writes a governance record yet; its absence means: never frozen. Comparing the absence
already makes every promotion of this release lose to the first freeze that a later one writes.
"""

from __future__ import annotations

from bps.core import keys
from bps.core.errors import SchemaTooNew
from bps.core.txn import unchanged
from bps.plans.book import PlanBook


def compare_governance(book: PlanBook) -> None:
    """Make the promotion depend on the initiative's governance being absent.

    Costs no read: the absence is guessed, and the transaction's compare proves it.

    Raises:
        SchemaTooNew: there is a record, written by a newer release.
    """
    key = keys.governance(book.need_plan().initiative)
    stored = book.view.get_or_guess_absent(key)
    if stored is not None:
        raise SchemaTooNew(
            f"Initiative {book.need_plan().initiative} is governed by rules of a newer release.",
            key=key.decode(),
        )
    book.compare(unchanged(key, 0))
