"""Receipts that were given are in the log, and the log is the one chain that extends them."""

from __future__ import annotations

from collections.abc import Iterable

from bps.core.chain import Claim
from bps.core.errors import BpsError
from bps.core.ports import Store
from bps.replay.replay import replay
from bps.replay.verify import verify
from tests.fault.final_state import FinalState
from tests.fault.history import History, Ok
from tests.fault.violation import Violation

_CHECKER = "receipts"


def claims_of(history: History) -> dict[str, list[tuple[str, Claim]]]:
    """By plan, each receipt with the id of the operation that was given it."""
    found: dict[str, list[tuple[str, Claim]]] = {}
    for operation in history.operations:
        outcome = operation.outcome
        receipt = outcome.result.get("receipt") if isinstance(outcome, Ok) else None
        if receipt is not None:
            claim = Claim(receipt["seq"], receipt["hash"], f"receipt of {operation.id}")
            found.setdefault(receipt["plan"], []).append((operation.id, claim))
    return found


def check_receipts(history: History, final: FinalState) -> list[Violation]:
    """Each receipt names an event of the final log, by number and hash."""
    found: list[Violation] = []
    for plan, claims in claims_of(history).items():
        hashes = {event.seq: event.hash for event in final.events.get(plan, ())}
        for op_id, claim in claims:
            stored = hashes.get(claim.seq)
            if stored != claim.hash:
                state = "is missing" if stored is None else "has another hash"
                what = f"event {claim.seq} of an acknowledged receipt {state}"
                found.append(Violation("lost", _CHECKER, plan, (op_id,), what))
    return found


async def check_proofs(store: Store, history: History, plans: Iterable[str]) -> list[Violation]:
    """`bps verify` and `bps replay` of each plan, with all receipts as witnesses.

    Cost: about 0.1 ms an event. Raises Unavailable.
    """
    found: list[Violation] = []
    claims = claims_of(history)
    registered = {each.plan for each in history.operations if each.acknowledged}
    for plan in plans:
        if plan not in registered:
            continue
        try:
            await verify(store, plan, claims=[claim for _, claim in claims.get(plan, [])])
            await replay(store, plan)
        except BpsError as error:
            if error.retryable:
                raise
            what = f"{error.code}: {error.message}"
            found.append(Violation("lost", "proofs", plan, (), what))
    return found
