"""The order of revisions: it agrees with real time, and the model explains every answer in it.

Revisions are etcd's, one order over all plans; so operations on different plans are held against
each other as well.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from tests.fault.final_state import FinalState, LoggedEvent
from tests.fault.history import History, Ok, Operation
from tests.fault.model import PlanState, after
from tests.fault.violation import Violation

_CHECKER = "order"


def linearizable_read(operation: Operation) -> bool:
    """Whether the answer of this read claims to be the newest state.

    Its label says so; without a label, what was asked for does.
    """
    outcome = operation.outcome
    if operation.writes or not isinstance(outcome, Ok) or outcome.revision is None:
        return False
    if outcome.consistency is None:
        return operation.kind == "read"
    return outcome.consistency == "linearizable"


def check_order(history: History, final: FinalState) -> list[Violation]:
    """Real time first, then each plan's log against the model."""
    logged = final.by_operation()
    revisions = {op_id: events[0].revision for op_id, events in logged.items()}
    found = list(_real_time(history, revisions))
    for plan in sorted({each.plan for each in history.operations}):
        found += _explained(plan, history, revisions)
        found += _whole(plan, history, logged)
    return found


def _real_time(history: History, revisions: Mapping[str, int]) -> Iterator[Violation]:
    """Who was called after another had returned has the greater revision; a read may be level."""
    placed = [each for each in history.operations if _revision(each, revisions) is not None]
    calls = sorted(placed, key=lambda each: each.called_ns)
    returns = sorted(
        (each for each in placed if each.returned_ns is not None and each.acknowledged),
        key=lambda each: each.returned_ns or 0,
    )
    newest: Operation | None = None
    floor, at = 0, 0
    for operation in calls:
        while at < len(returns) and (returns[at].returned_ns or 0) < operation.called_ns:
            revision = _revision(returns[at], revisions) or 0
            if revision > floor:
                newest, floor = returns[at], revision
            at += 1
        mine = _revision(operation, revisions) or 0
        if newest is not None and (mine < floor or (operation.writes and mine == floor)):
            what = (
                f"the {operation.kind} at revision {mine} was called after the {newest.kind} at "
                f"revision {floor} had returned"
            )
            ops = (newest.id, operation.id)
            yield Violation("non-linearizable", _CHECKER, operation.plan, ops, what)


def _revision(operation: Operation, revisions: Mapping[str, int]) -> int | None:
    if operation.writes:
        return revisions.get(operation.id)
    outcome = operation.outcome
    return outcome.revision if linearizable_read(operation) and isinstance(outcome, Ok) else None


def _explained(plan: str, history: History, revisions: Mapping[str, int]) -> Iterator[Violation]:
    mine = [each for each in history.operations if each.plan == plan]
    written = [each for each in mine if each.writes and each.id in revisions]
    states, known = [PlanState()], [0]
    for operation in sorted(written, key=lambda each: revisions[each.id]):
        following = after(states[-1], operation)
        if following is None:
            what = f"the {operation.kind} at revision {revisions[operation.id]} cannot follow"
            yield Violation("non-linearizable", _CHECKER, plan, (operation.id,), what)
            # All later states would be wrong as well, and hide what is.
            return
        states.append(following)
        known.append(revisions[operation.id])
    for operation in mine:
        outcome = operation.outcome
        if operation.writes or not isinstance(outcome, Ok) or outcome.revision is None:
            continue
        state = states[bisect_right(known, outcome.revision) - 1]
        if after(state, operation) is None:
            what = f"a {operation.kind} says of revision {outcome.revision} what was not so"
            yield Violation("non-linearizable", _CHECKER, plan, (operation.id,), what)


def _whole(
    plan: str, history: History, logged: Mapping[str, Sequence[LoggedEvent]]
) -> Iterator[Violation]:
    """Each version holds what its contributors changed and what was canonical, byte for byte."""
    mine = [each for each in history.operations if each.plan == plan and each.id in logged]
    state = PlanState()
    for operation in sorted(mine, key=lambda each: logged[each.id][0].revision):
        following = after(state, operation)
        if following is None:
            return
        state = following
        for event in logged[operation.id]:
            if event.type == "BLUEPRINT_PROMOTED" and event.digest != state.digest:
                what = f"event {event.seq} does not publish what was to be merged"
                yield Violation("lost", _CHECKER, plan, (operation.id,), what)
                return
