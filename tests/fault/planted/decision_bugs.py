"""Protections of one transaction, taken away: its compares, its puts, and what it is decided on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from bps.candidates import attempts
from bps.candidates.merging import MergeAnswer, MergeTask
from bps.core import keys
from bps.core.txn import KV, Committed, Compare, Conflict, Target, Txn, unchanged
from bps.merge.compact import Rows
from bps.plans.book import PlanBook
from bps.writepath import execution
from bps.writepath.command import Noop
from bps.writepath.execution import Execution
from bps.writepath.transact import WritePath
from tests.doubles.forwarding_store import ForwardingStore
from tests.fault.planted.bugs import bug, replaced


def without(txn: Txn, dropped: Callable[[Any], bool]) -> Txn:
    """`txn` without some of its compares."""
    return Txn(tuple(each for each in txn.compares if not dropped(each)), txn.operations)


def transactions(change: Callable[[Any, Txn], Txn]) -> Any:
    """Change each transaction of a command before it is sent; `change` is told the operation."""

    def of(transaction: Any) -> Any:
        def changed(decided: Any, operation: Any, **rest: Any) -> Txn:
            return change(operation, transaction(decided, operation, **rest))

        return changed

    return replaced(execution, "transaction_of", of)


@bug
def fence_dropped() -> Iterator[None]:
    """Writes do not compare the leadership."""

    def learning(learn: Any) -> Any:
        async def learned(self: Any, view: Any, txn: Txn, conflict: Conflict, fence: Any) -> object:
            own = KV(fence.key, b"", fence.create_revision, fence.create_revision)
            whole = Conflict(conflict.revision, {**conflict.present, fence.key: own})
            with_fence = SimpleNamespace(compares=(fence.compare, *txn.compares))
            return await learn(self, view, with_fence, whole, fence)

        return learned

    def unfenced(_: Any, txn: Txn) -> Txn:
        return without(txn, lambda each: each.key == keys.LEADER_HOLDER)

    with ExitStack() as stack:
        stack.enter_context(transactions(unfenced))
        stack.enter_context(replaced(Execution, "_learn", learning))
        yield


@bug
def op_record_not_created() -> Iterator[None]:
    """Operations leave no record, so that a repetition does them again."""

    def unrecorded(operation: Any, txn: Txn) -> Txn:
        own = operation.key
        return Txn(txn.compares, tuple(put for put in txn.operations if put.key != own))

    with transactions(unrecorded):
        yield


@bug
def aborted_record_not_compared() -> Iterator[None]:
    """Writes do not compare their operation's record: what was settled as ABORTED can commit."""

    def blind(operation: Any, txn: Txn) -> Txn:
        own = operation.key
        return without(txn, lambda each: each.key == own)

    with transactions(blind):
        yield


@bug
def head_not_bumped() -> Iterator[None]:
    """Events are appended to a plan, and its head stays."""

    def of(parts: Any) -> Any:
        def unbumped(self: PlanBook) -> Any:
            compares, operations = parts(self)
            head = self.state.keys.head
            if unchanged(head, 0) in compares:
                return compares, operations
            return compares, tuple(each for each in operations if each.key != head)

        return unbumped

    with replaced(PlanBook, "parts", of):
        yield


@bug
def head_not_compared() -> Iterator[None]:
    """Decisions on a plan compare neither its head nor that their first event is new."""

    def of(parts: Any) -> Any:
        def unanchored(self: PlanBook) -> Any:
            compares, operations = parts(self)
            at = self.state.keys

            def dropped(each: Any) -> bool:
                new = isinstance(each, Compare) and each.target is Target.CREATE_REVISION
                return each.key == at.head or (new and each.key.startswith(at.events))

            return tuple(each for each in compares if not dropped(each)), operations

        return unanchored

    with replaced(PlanBook, "parts", of):
        yield


@bug
def event_time_from_the_wall_clock() -> Iterator[None]:
    """Events take the wall clock as it is, also where it went back behind the plan's head."""

    def of(opened: Any) -> Any:
        def unclamped(
            cls: type[PlanBook], view: Any, plan_id: str, operation: Any, now_ms: int
        ) -> PlanBook:
            book: PlanBook = opened.__func__(cls, view, plan_id, operation, now_ms)
            book.now_ms = now_ms
            return book

        return classmethod(unclamped)

    with replaced(PlanBook, "open", of):
        yield


@bug
def pointer_in_a_second_transaction() -> Iterator[None]:
    """The canonical pointer is written after everything else, in a transaction of its own."""

    class Twice(ForwardingStore):
        async def commit(self, txn: Txn) -> Committed | Conflict:
            pointer = tuple(put for put in txn.operations if put.key.endswith(b"/canonical"))
            if not pointer:
                return await super().commit(txn)
            rest = tuple(put for put in txn.operations if put not in pointer)
            answer = await super().commit(Txn(txn.compares, rest))
            if isinstance(answer, Committed):
                await super().commit(Txn(txn.compares[:1], pointer))
            return answer

    def of(init: Any) -> Any:
        def split(self: Any, store: Any, *arguments: Any, **options: Any) -> None:
            init(self, Twice(store), *arguments, **options)

        return split

    with replaced(WritePath, "__init__", of):
        yield


@bug
def noop_on_a_stale_view() -> Iterator[None]:
    """What a warm view shows as done already is answered at once; no transaction proves it."""

    def of(decide: Any) -> Any:
        def unproven(self: Any, view: Any) -> Any:
            decided = decide(self, view)
            return replace(decided, compares=()) if isinstance(decided, Noop) else decided

        return unproven

    with replaced(Execution, "_decide", of):
        yield


@bug
def witness_removed() -> Iterator[None]:
    """Writes do not compare the last mirrored checkpoint."""

    def of(execution: Any) -> Any:
        def unwitnessed(self: Any, *arguments: Any) -> Any:
            self._witness = lambda: None
            return execution(self, *arguments)

        return unwitnessed

    with replaced(WritePath, "_execution", of):
        yield


@bug
def last_contributor_wins() -> Iterator[None]:
    """A merge is what its last contributor submitted; the others are only told to be in it."""

    def of(_: Any) -> Any:
        def overwriting(task: MergeTask) -> MergeAnswer:
            text = task.contributions[-1].text
            return MergeAnswer(text, (), (), (), (), (), (), Rows((), 0))

        return overwriting

    with replaced(attempts, "merge_blueprints", of):
        yield
