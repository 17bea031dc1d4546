"""No write of an old fence: each event lies inside a term, and inside that of who wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.fault.final_state import FinalState
from tests.fault.history import History, Ok, Operation
from tests.fault.terms import Term, Terms
from tests.fault.violation import Violation

_CHECKER = "fence"


def check_fence(history: History, final: FinalState, terms: Terms) -> list[Violation]:
    """Terms are disjoint; events are inside of them. Where the watch saw nothing, nothing is said.

    An event does not name its writer. It is known where one sidecar alone was asked, or where the
    answer says that it was committed now; else only that somebody led then can be checked.
    """
    found = list(_overlaps(terms))
    asked = {each.id: each for each in history.operations}
    for plan, log in final.events.items():
        for event in log:
            if not terms.seen(event.revision):
                continue
            term = terms.at(event.revision)
            operation = asked.get(event.op_id)
            what = _broken(term, writer_of(operation) if operation else None)
            if what:
                what = f"event {event.seq} at revision {event.revision} {what}"
                found.append(Violation("old-fence", _CHECKER, plan, (event.op_id,), what))
    return found


def writer_of(operation: Operation) -> str | None:
    """The sidecar that wrote it, where that is certain."""
    outcome = operation.outcome
    if isinstance(outcome, Ok) and outcome.how == "committed":
        return operation.sidecar
    return operation.tried[0] if len(set(operation.tried)) == 1 else None


def _broken(term: Term | None, writer: str | None) -> str:
    if term is None:
        return "was written while nobody led"
    if writer is not None and writer != term.holder:
        return f"was written by {writer} in the term of {term.holder} (from {term.created})"
    return ""


def _overlaps(terms: Terms) -> Iterator[Violation]:
    for before, after in pairwise(sorted(terms.terms, key=lambda term: term.created)):
        if before.ended is None or before.ended > after.created:
            what = f"the term of {after.holder} began inside that of {before.holder}"
            yield Violation("old-fence", _CHECKER, "*", (), what)
