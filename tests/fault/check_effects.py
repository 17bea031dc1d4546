"""Acknowledged: there exactly once. Unknown: at most once. Refused: never. And nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.fault.final_state import FinalState, LoggedEvent
from tests.fault.history import History, Kind, Ok, Operation, Refused
from tests.fault.violation import Kind as Broken
from tests.fault.violation import Violation

_CHECKER = "effects"
_TYPES: dict[Kind, frozenset[str]] = {
    "register": frozenset({"PLAN_REGISTERED"}),
    "open": frozenset({"BRANCH_OPENED", "TRACE_LINKED"}),
    "submit": frozenset({"BRANCH_SUCCEEDED"}),
    "rebase": frozenset({"BRANCH_OPENED"}),
    "promote": frozenset({"BLUEPRINT_PROMOTED"}),
}
"""The event that each act leaves; a rebase leaves the VC_NULLIFY of the RR-plan before besides."""
_UNIQUE: dict[str, str] = {
    "PLAN_REGISTERED": "digest",
    "BRANCH_SUCCEEDED": "digest",
    "BLUEPRINT_PROMOTED": "digest",
}
_SHOWN = ("version", "digest", "branch", "n")


def check_effects(history: History, final: FinalState) -> list[Violation]:
    """Every operation against the events that name it, and every event against the operations."""
    logged = final.by_operation()
    asked = {each.id: each for each in history.operations if each.writes}
    found: list[Violation] = []
    for operation in asked.values():
        found += _operation(operation, logged.get(operation.id, []))
    for op_id, events in logged.items():
        if op_id not in asked:
            what = f"event {events[0].seq} is of an operation that nobody asked for"
            found.append(Violation("non-linearizable", _CHECKER, events[0].plan, (op_id,), what))
    for plan, log in final.events.items():
        found += _contents(plan, log)
    return found


def _operation(operation: Operation, events: Sequence[LoggedEvent]) -> Iterator[Violation]:
    def broken(kind: Broken, what: str) -> Violation:
        return Violation(kind, _CHECKER, operation.plan, (operation.id,), what)

    outcome = operation.outcome
    if isinstance(outcome, Refused):
        if events:
            what = f"was refused ({outcome.code}), and is event {events[0].seq}"
            yield broken("non-linearizable", f"the {operation.kind} {what}")
        return
    effects = [each for each in events if each.type in _TYPES[operation.kind]]
    if len(effects) > 1 or len({each.revision for each in events}) > 1:
        seqs = ", ".join(str(each.seq) for each in events)
        yield broken("duplicated", f"the {operation.kind} took effect more than once: {seqs}")
    if any(each.plan != operation.plan for each in events):
        yield broken("non-linearizable", f"the {operation.kind} wrote in another plan")
    if not isinstance(outcome, Ok):
        return
    if outcome.result.get("receipt") is None:
        if events:
            yield broken("non-linearizable", "it was said to change nothing, and wrote")
    elif not effects:
        yield broken("lost", f"the acknowledged {operation.kind} is not in the log")
    elif what := _differs(outcome.result, effects[0]):
        yield broken("lost", f"the acknowledged {operation.kind} is stored otherwise: {what}")


def _differs(result: Any, event: LoggedEvent) -> str:
    """Which field of the answer the event contradicts, if any."""
    stored = {
        "version": event.version,
        "digest": event.digest,
        "branch": event.branch,
        "n": event.rr,
    }
    for name in _SHOWN:
        if name in result and stored[name] is not None and result[name] != stored[name]:
            return f"{name} {result[name]} became {stored[name]}"
    return ""


def _contents(plan: str, log: Sequence[LoggedEvent]) -> Iterator[Violation]:
    """Contents and traces are used once, so each is there once; events are written once."""
    first: dict[tuple[str, str], LoggedEvent] = {}
    for event in log:
        if event.revision != event.created:
            what = f"event {event.seq} was overwritten at revision {event.revision}"
            yield Violation("lost", _CHECKER, plan, (event.op_id,), what)
        keyed = event.trace_id if event.type == "TRACE_LINKED" else event.digest
        if keyed is None or (event.type not in _UNIQUE and event.type != "TRACE_LINKED"):
            continue
        before = first.setdefault((event.type, keyed), event)
        if before is not event:
            ops = (before.op_id, event.op_id)
            what = f"events {before.seq} and {event.seq} have the same content"
            yield Violation("duplicated", _CHECKER, plan, ops, what)
