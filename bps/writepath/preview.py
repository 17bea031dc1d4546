"""Dry runs: what a command would do, decided on fresh reads; nothing is written."""

from __future__ import annotations

from typing import Any, TypeVar

from bps.core.codec import Record
from bps.core.ports import Clock, Key, Read, Store
from bps.writepath.command import (
    Command,
    Commit,
    Decision,
    Noop,
    Outcome,
    check_refusal,
    recorded_outcome,
)
from bps.writepath.prepare import InThreads, NotPrepared, Preparations, Work, Workshop
from bps.writepath.view import NotRead, View

R = TypeVar("R", bound=Record)

_BATCH = 120


async def decide_only(
    store: Store, clock: Clock, command: Command[R], workshop: Workshop | None = None
) -> Outcome[R]:
    """The outcome that `command` would have now; needs no leadership. One round trip or more.

    Heavy work is done in `workshop`, or in threads of this process where there is none.

    Raises:
        Rejected: the state does not allow it.
        IdempotencyKeyReused, Unavailable: as `WritePath.execute`.
    """
    decision = await _decision(store, clock, command, workshop)
    check_refusal(decision.result, tried=isinstance(decision, Commit))
    if isinstance(decision, Outcome):
        return decision
    why = decision.why if isinstance(decision, Noop) else "a dry run writes nothing"
    return Outcome(decision.result, "noop", why)


async def outcome_if_done(store: Store, clock: Clock, command: Command[R]) -> Outcome[R] | None:
    """The outcome of a `command` that has nothing left to do; None where it would write.

    Costs and raises as `decide_only`.
    """
    decision = await _decision(store, clock, command, None)
    if isinstance(decision, Noop):
        return Outcome(decision.result, "noop", decision.why)
    return decision if isinstance(decision, Outcome) else None


async def _decision(
    store: Store, clock: Clock, command: Command[R], workshop: Workshop | None
) -> Decision[R] | Outcome[R]:
    """What is decided on fresh reads, or what the operation's record says was done before."""
    reads: list[Read] = [*command.reads(), Key(command.operation.key)]
    preparations = Preparations(store, workshop or InThreads())
    prepared: dict[Work[Any], Any] = {}
    while True:
        view = View(fresh=True)
        for start in range(0, len(reads), _BATCH):
            batch = reads[start : start + _BATCH]
            view.learn(batch, await store.snapshot(batch))
        recorded = view.get(command.operation.key)
        if recorded is not None and (done := recorded_outcome(command, recorded)):
            return done
        view.prepared = prepared
        try:
            decision = command.decide(view, clock.now_ms())
        except NotRead as unread:
            reads += unread.reads
            continue
        except NotPrepared as wanted:
            prepared[wanted.work] = await preparations.result_of(wanted.work)
            continue
        if view.guessed:
            reads += [Key(key) for key in view.guessed]
            continue
        return decision
