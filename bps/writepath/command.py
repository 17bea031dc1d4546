"""What the write path runs: commands, the decisions that they return, and their operation id."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from bps.core import keys
from bps.core.codec import Record, canonical_json, sha256_hex
from bps.core.errors import IdempotencyKeyReused, MalformedRecord, Rejected
from bps.core.ports import Read
from bps.core.txn import KV, Condition, Fence, Operation
from bps.writepath.view import View

R = TypeVar("R", bound=Record)
V = TypeVar("V", bound=BaseModel)
R_co = TypeVar("R_co", bound=Record, covariant=True)


class Refusable(Record):
    """A result that may be a refusal, although something was written: a review, say.

    The operation is done and recorded like any other; whoever asked, or asks again, is told
    `refusal` instead of the result (design: `Review(conflicts)`).
    """

    @abstractmethod
    def refusal(self, *, tried: bool = False) -> Rejected | None:
        """What the caller is told, or None where the result is no refusal.

        `tried`: nothing of it was written, as it was a dry run.
        """


def check_refusal(result: Record, *, tried: bool = False) -> None:
    """Raise the refusal that `result` is, if it is one. Raises Rejected."""
    if isinstance(result, Refusable) and (refused := result.refusal(tried=tried)) is not None:
        raise refused


class OpRecord(Record):
    """`ops/{principal}/{id}`: proof that an operation happened, or that it never will.

    `request` is the digest of the request; a reuse of the id with another digest is refused.
    """

    KIND: ClassVar[str] = "op"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    state: Literal["DONE", "ABORTED"]
    request: str
    result: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class OperationId:
    """Who asks for what under which idempotency key."""

    principal: str
    op_id: str
    request: str

    @property
    def key(self) -> bytes:
        """Where its record is stored."""
        return keys.op(self.principal, self.op_id)

    @property
    def name(self) -> str:
        """`principal/id`, as events name it."""
        return f"{self.principal}/{self.op_id}"


def operation(principal: str, op_id: str, command: str, fields: dict[str, Any]) -> OperationId:
    """The operation of a command; its digest covers the command's name and all its fields."""
    request = sha256_hex(canonical_json({"command": command, "fields": fields}))
    return OperationId(principal, op_id, request)


@dataclass(frozen=True, slots=True)
class Commit(Generic[R]):
    """Write this. The loop adds the fence and the operation's record.

    `conflicts` is how many a person has to decide by it that nobody had before; it is counted, and
    not stored.
    """

    compares: tuple[Condition, ...]
    operations: tuple[Operation, ...]
    result: R
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Noop(Generic[R]):
    """It is so already; of the plan nothing is written.

    `compares` are the conditions that make it so. With them the loop writes the operation's
    record, so that a repeated request gets this answer whatever happened since (ADR 0016);
    without them nothing at all is written.
    """

    result: R
    why: str
    compares: tuple[Condition, ...] = ()


Decision = Commit[R] | Noop[R]
"""Or a raised `Rejected`: the state does not allow it."""


class Command(Protocol[R_co]):
    """A request with its pure decision."""

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        ...

    @property
    def plan(self) -> str | None:
        """The plan that it writes in; its records are kept warm under their head."""
        ...

    @property
    def result_type(self) -> type[R_co]:
        """To decode the recorded result of a repeated operation."""
        ...

    def reads(self) -> Sequence[Read]:
        """What a cold snapshot reads; at most 120 reads."""
        ...

    def decide(self, view: View, now_ms: int) -> Decision[Any]:
        """Pure: no I/O, clock or randomness.

        Raises:
            Rejected: the state does not allow it.
            NotRead: it needs more keys; the loop reads them and asks again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outcome(Generic[V]):
    """What became of a command. `repeated`: the operation was done before, this is its result.

    At the edges `result` may be a view of the record. `revision` is the store's at which it was
    committed, by whichever execution; 0 where nothing was committed. `conflicts`: as `Commit`,
    where this execution wrote it.
    """

    result: V
    how: Literal["committed", "repeated", "noop"]
    why: str = ""
    revision: int = 0
    conflicts: int = 0


def recorded_outcome(command: Command[R], stored: KV) -> Outcome[R] | None:
    """The outcome of an earlier attempt from its op record; None where that one was aborted.

    Raises:
        IdempotencyKeyReused: the id was used with another request.
    """
    record = OpRecord.decode(stored.value, key=stored.key)
    _check_request(command, record)
    return repeated(command, record, stored.mod_revision) if record.state == "DONE" else None


def repeated(command: Command[R], record: OpRecord, revision: int) -> Outcome[R]:
    """The outcome that a DONE record of `revision` holds.

    Raises IdempotencyKeyReused, MalformedRecord.
    """
    _check_request(command, record)
    try:
        result = command.result_type.part(record.result or {}, record)
    except ValidationError as error:
        name = command.operation.name
        msg = f"The stored result of operation {name} is none of this command."
        raise MalformedRecord(msg, op=name) from error
    return Outcome(result, "repeated", "the operation was done before", revision)


def _check_request(command: Command[R], record: OpRecord) -> None:
    operation = command.operation
    if record.request != operation.request:
        msg = f"Operation id {operation.op_id} was used for another request before."
        raise IdempotencyKeyReused(msg, op=operation.name)


class WriteAuthority(Protocol):
    """The right to write, held by the leader (R12)."""

    def fence(self) -> Fence:
        """The fence for the next transaction. Raises LeaseLost, NotLeader."""
        ...

    async def ops_lease_id(self, *, renew: bool = False) -> int:
        """The lease that op records hang on; `renew` after the store did not know it."""
        ...
