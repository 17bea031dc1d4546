"""All checkers over one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bps.core.ports import Store
from tests.fault.check_effects import check_effects
from tests.fault.check_fence import check_fence
from tests.fault.check_order import check_order
from tests.fault.check_reads import check_reads
from tests.fault.check_receipts import check_proofs, check_receipts
from tests.fault.final_state import FinalState, read_final
from tests.fault.history import History
from tests.fault.linearizable import check_linearizable
from tests.fault.terms import Terms
from tests.fault.violation import KINDS, Kind, Violation

SEARCH_S = 10.0


def check_history(
    history: History, final: FinalState, terms: Terms, *, search_s: float = SEARCH_S
) -> list[Violation]:
    """All pure checkers; none hides what another finds."""
    return [
        *check_effects(history, final),
        *check_fence(history, final, terms),
        *check_receipts(history, final),
        *check_order(history, final),
        *check_linearizable(history, final, limit_s=search_s),
        *check_reads(history),
    ]


async def check_run(
    store: Store,
    history: History,
    terms: Terms,
    plans: Iterable[str],
    *,
    search_s: float = SEARCH_S,
) -> list[Violation]:
    """Read the final state of a healed store, then check everything, the proofs included.

    Call it when no write is under way any more. Raises Unavailable.
    """
    named = list(plans)
    final = await read_final(store, named)
    found = check_history(history, final, terms, search_s=search_s)
    return [*found, *await check_proofs(store, history, named)]


def counts(violations: Iterable[Violation]) -> dict[Kind, int]:
    """How many of each kind."""
    found = Counter(each.kind for each in violations)
    return {kind: found[kind] for kind in KINDS}
