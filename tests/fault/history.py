"""What clients asked for and what they were told, appended to a file as it happens.

Each call is one line and each return another, both flushed, so that a killed run keeps its
history. A call without a return was never answered: its outcome is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import orjson

Kind = Literal["register", "open", "submit", "rebase", "promote", "read", "degraded_read"]

READS: frozenset[Kind] = frozenset({"read", "degraded_read"})
NO_ANSWER = "NO_ANSWER"
"""The code of an operation that was under way when the run ended."""


@dataclass(frozen=True, slots=True)
class Ok:
    """Acknowledged. `result` holds numbers as int; `revision` and the labels are those of reads."""

    result: Mapping[str, Any]
    how: Literal["committed", "repeated", "noop"] = "committed"
    revision: int | None = None
    consistency: str | None = None
    age_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Every attempt was answered, and each answer says that nothing was done."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An attempt was not answered, or was answered so: it may have been done, now or later."""

    code: str


Outcome = Ok | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation with all its attempts. `sidecar` gave the last answer; `tried` were asked.

    Times are of the monotonic clock of the process that ran the traffic. `request` has, by kind:
    register digest, lines (texts by authors) | open trace_id, fingerprint |
    submit branch, n, digest, edit (author and text) | rebase branch, n |
    promote refs (pairs of branch and n; none: all) | reads of ("canonical" or "branch"), branch, n.
    """

    client: int
    id: str
    kind: Kind
    plan: str
    request: Mapping[str, Any]
    called_ns: int
    returned_ns: int | None
    outcome: Outcome
    sidecar: str = ""
    tried: tuple[str, ...] = ()
    term: int | None = None

    @property
    def writes(self) -> bool:
        """Whether it may change the plan."""
        return self.kind not in READS

    @property
    def acknowledged(self) -> bool:
        """Whether it was answered with success."""
        return isinstance(self.outcome, Ok)

    @property
    def unknown(self) -> bool:
        """Whether nobody knows what became of it."""
        return isinstance(self.outcome, Unknown)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened beside the traffic, such as a fault or a term."""

    at_ns: int
    what: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """All operations in the order of their calls, and the notes in theirs."""

    operations: tuple[Operation, ...]
    notes: tuple[Note, ...] = ()

    @property
    def acknowledged_promotions(self) -> int:
        """How many promotions were answered with success."""
        return sum(each.kind == "promote" and each.acknowledged for each in self.operations)


@dataclass(slots=True)
class Call:
    """An operation under way. Give its outcome to `Recorder.returned`, once."""

    client: int
    id: str
    kind: Kind
    plan: str
    request: Mapping[str, Any]
    called_ns: int
    tried: list[str] = field(default_factory=list)


class Recorder:
    """Appends to a history file. Use as a context manager, in one process and thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BufferedWriter | None = None

    def __enter__(self) -> Self:
        self._file = self.path.open("ab")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def called(
        self, client: int, op_id: str, kind: Kind, plan: str, request: Mapping[str, Any]
    ) -> Call:
        """Record a call, before its first attempt is sent."""
        call = Call(client, op_id, kind, plan, request, time.monotonic_ns())
        self._append({"line": "call", **asdict(call)})
        return call

    def returned(self, call: Call, outcome: Outcome, *, term: int | None = None) -> None:
        """Record what became of a call."""
        self._append(
            {
                "line": "return",
                "id": call.id,
                "returned_ns": time.monotonic_ns(),
                "tried": call.tried,
                "term": term,
                "outcome": {"is": type(outcome).__name__, **asdict(outcome)},
            }
        )

    def note(self, what: str, **facts: Any) -> None:
        """Record something beside the traffic."""
        at_ns = time.monotonic_ns()
        self._append({"line": "note", "at_ns": at_ns, "what": what, "facts": facts})

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            msg = "the recorder is not open"
            raise ValueError(msg)
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()


def load(path: Path) -> History:
    """Read a history file; a last line that was cut off is passed over."""
    calls: dict[str, dict[str, Any]] = {}
    returns: dict[str, dict[str, Any]] = {}
    notes: list[Note] = []
    for raw in path.read_bytes().splitlines(keepends=True):
        if not raw.endswith(b"\n"):
            break
        line = orjson.loads(raw)
        if line["line"] == "call":
            calls[line["id"]] = line
        elif line["line"] == "return":
            returns[line["id"]] = line
        else:
            notes.append(Note(line["at_ns"], line["what"], line["facts"]))
    found = (_operation(call, returns.get(op_id)) for op_id, call in calls.items())
    return History(tuple(sorted(found, key=lambda each: each.called_ns)), tuple(notes))


def _operation(call: Mapping[str, Any], answer: Mapping[str, Any] | None) -> Operation:
    tried = tuple(call["tried"] if answer is None else answer["tried"])
    return Operation(
        call["client"],
        call["id"],
        call["kind"],
        call["plan"],
        call["request"],
        call["called_ns"],
        None if answer is None else answer["returned_ns"],
        Unknown(NO_ANSWER) if answer is None else _outcome(dict(answer["outcome"])),
        tried[-1] if tried else "",
        tried,
        None if answer is None else answer["term"],
    )


def _outcome(fields: dict[str, Any]) -> Outcome:
    kinds: dict[str, type[Outcome]] = {"Ok": Ok, "Refused": Refused, "Unknown": Unknown}
    return kinds[fields.pop("is")](**fields)
