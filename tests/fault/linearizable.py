"""Is there any order of the operations that explains what clients saw? A search, without revisions.

Wing and Gong's search in Lowe's just-in-time form: at each return every way is kept in which the
operation can have taken effect by then. It knows the model and the times of calls and returns. Of
operations with an unknown outcome it may be told which ones took effect (`persisted`); else each of
them may take effect at any time after its call, or never.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tests.fault.check_order import linearizable_read
from tests.fault.final_state import FinalState
from tests.fault.history import History, Operation, Refused
from tests.fault.model import DECIDED, PlanState, after
from tests.fault.violation import Violation

_CHECKER = "search"
_EVER = 2**63

After = Callable[[PlanState, Operation], PlanState | None]
Configuration = tuple[PlanState, frozenset[int]]
"""A state, and those of the operations under way that have taken effect."""


class SearchTimedOut(Exception):
    """The search had not ended at its deadline: nothing is proven."""


def check_linearizable(
    history: History, final: FinalState, *, limit_s: float = 10.0
) -> list[Violation]:
    """Search each plan's history by itself; all searches together take at most `limit_s`."""
    persisted = frozenset(final.by_operation())
    deadline = time.monotonic() + limit_s
    found: list[Violation] = []
    for plan in sorted({each.plan for each in history.operations}):
        mine = [each for each in history.operations if each.plan == plan]
        try:
            stuck = first_impossible(mine, persisted=persisted, deadline=deadline)
        except SearchTimedOut:
            what = f"the search did not end in {limit_s:g} s"
            found.append(Violation("non-linearizable", _CHECKER, plan, (), what))
            continue
        if stuck is not None:
            what = f"no order explains the answer of the {stuck.kind}"
            found.append(Violation("non-linearizable", _CHECKER, plan, (stuck.id,), what))
    return found


def first_impossible(
    operations: Iterable[Operation],
    *,
    persisted: Collection[str] | None = None,
    deadline: float = float("inf"),
    after: After = after,
) -> Operation | None:
    """The operation at whose return no order is left that explains all answers so far, or None.

    `deadline` is an instant of the monotonic clock. Raises SearchTimedOut.
    """
    kept = [each for each in operations if _constrains(each, persisted)]
    return _Search(kept, persisted, deadline, after).run()


def _constrains(operation: Operation, persisted: Collection[str] | None) -> bool:
    """Whether leaving it out could make a difference."""
    if isinstance(operation.outcome, Refused):
        return operation.writes and operation.outcome.code in DECIDED
    if not operation.writes:
        return linearizable_read(operation)
    return not operation.unknown or persisted is None or operation.id in persisted


@dataclass(slots=True)
class _Search:
    operations: Sequence[Operation]
    persisted: Collection[str] | None
    deadline: float
    after: After
    open: set[int] = field(default_factory=set)
    _known: dict[tuple[PlanState, int], PlanState | None] = field(default_factory=dict)

    def run(self) -> Operation | None:
        """See `first_impossible`."""
        moments: list[tuple[int, int, int]] = []
        for index, operation in enumerate(self.operations):
            moments.append((operation.called_ns, 0, index))
            if not operation.unknown:
                moments.append((operation.returned_ns or _EVER, 1, index))
            elif self.persisted is not None:
                moments.append((_EVER, 1, index))
        configurations: set[Configuration] = {(PlanState(), frozenset())}
        # A call and a return at the same instant overlap.
        for _, returned, index in sorted(moments):
            if not returned:
                self.open.add(index)
                continue
            configurations = self._having_done(configurations, index)
            if not configurations:
                return self.operations[index]
            self.open.remove(index)
        return None

    def _having_done(self, before: set[Configuration], target: int) -> set[Configuration]:
        """All ways on from `before` in which `target` has taken effect; it is dropped from them."""
        found: set[Configuration] = set()
        seen: set[Configuration] = set()
        waiting = [self._observed(each) for each in before]
        while waiting:
            if time.monotonic() > self.deadline:
                raise SearchTimedOut
            configuration = waiting.pop()
            if configuration in seen:
                continue
            seen.add(configuration)
            state, done = configuration
            if target in done:
                found.add((state, done - {target}))
                continue
            for index in self.open - done:
                following = self._after(state, index)
                # What has to take effect and changes nothing can wait until the end.
                if following is not None and (following != state or index == target):
                    waiting.append(self._observed((following, done | {index})))
        return found

    def _observed(self, configuration: Configuration) -> Configuration:
        """With all answered ones done that fit and change nothing: no order is lost by that.

        An answer tells whether there was a change, so that they could do nothing else later.
        """
        state, done = configuration
        same = {
            index
            for index in self.open - done
            if not self.operations[index].unknown and self._after(state, index) == state
        }
        return (state, done | same) if same else configuration

    def _after(self, state: PlanState, index: int) -> PlanState | None:
        key = (state, index)
        if key not in self._known:
            self._known[key] = self.after(state, self.operations[index])
        return self._known[key]
