"""Protections of a write without an answer, taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bps.core.errors import Contended, OutcomeUnknown, Unavailable
from bps.core.ports import Key
from bps.core.txn import Txn
from bps.writepath import command, settlement
from bps.writepath.command import recorded_outcome
from bps.writepath.execution import Execution
from bps.writepath.transact import WritePath
from tests.fault.planted.bugs import bug, replaced


@bug
def new_operation_id_after_unknown() -> Iterator[None]:
    """An unanswered write is sent again as another operation."""

    def of(_: Any) -> Any:
        async def resent(self: Any, fence: Any, before: Any) -> Any:
            del fence, before
            self._operation = replace(self._operation, op_id=self._operation.op_id + "-again")
            self._forget()
            return await self._read(())

        return resent

    with replaced(Execution, "_settled", of):
        yield


@bug
def read_back_instead_of_settlement() -> Iterator[None]:
    """After an unanswered write a linearizable read tells: no record, so it was not written."""

    def of(_: Any) -> Any:
        async def read_back(self: Any, fence: Any, before: Any) -> Any:
            del fence, before
            self._forget()
            key = self._operation.key
            (found,) = (await self._store.snapshot([Key(key)])).answers
            if found and (done := recorded_outcome(self._command, found[0])):
                return done
            raise Contended("The write was not applied.")

        return read_back

    with replaced(Execution, "_settled", of):
        yield


@bug
def settlement_without_its_compare() -> Iterator[None]:
    """A settlement writes ABORTED over whatever record is there."""

    def of(made: Any) -> Any:
        def blind(compares: Any, operations: Any) -> Txn:
            fence = compares[:1]
            txn: Txn = made(fence, operations)
            return txn

        return blind

    with replaced(settlement, "Txn", of):
        yield


@bug
def unknown_told_as_refused() -> Iterator[None]:
    """A caller whose write has no answer is told that nothing was written."""

    def of(execute: Any) -> Any:
        async def told(self: Any, *arguments: Any, **options: Any) -> Any:
            try:
                return await execute(self, *arguments, **options)
            except OutcomeUnknown as error:
                raise Unavailable("Nothing was written.") from error

        return told

    with replaced(WritePath, "execute", of):
        yield


@bug
def request_not_compared() -> Iterator[None]:
    """An operation id that was used for another request answers with that one's result."""
    with replaced(command, "_check_request", lambda _: lambda *_: None):
        yield
