"""The table of schedules, appended row by row, and its last line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from tests.fault.check import counts
from tests.fault.history import History
from tests.fault.violation import KINDS, Violation

_HEADER = (
    "fault",
    "took effect",
    "operations",
    "acknowledged",
    "unknown",
    "time to writable",
    "verdict",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One schedule. `took_effect` is the evidence; `promotions` were acknowledged.

    `writable_s` is the time from the healing to the first acknowledged write; None: never.
    """

    seed: int
    fault: str
    took_effect: str
    operations: int
    acknowledged: int
    unknown: int
    promotions: int
    writable_s: float | None
    violations: Mapping[str, int] = field(default_factory=dict)
    failure: str = ""
    """Why the schedule itself failed, such as a fault without effect."""

    @property
    def verdict(self) -> str:
        """`ok`, or what was found."""
        found = [f"{kind}: {n}" for kind, n in self.violations.items() if n]
        return ", ".join([*found, self.failure] if self.failure else found) or "ok"

    @property
    def passed(self) -> bool:
        """Whether every fault took effect and nothing was violated."""
        return self.verdict == "ok"


def row_of(
    history: History,
    violations: Iterable[Violation],
    *,
    seed: int,
    fault: str,
    took_effect: str,
    writable_s: float | None,
    failure: str = "",
) -> Row:
    """The row of a schedule that was run."""
    operations = history.operations
    return Row(
        seed=seed,
        fault=fault,
        took_effect=took_effect,
        operations=len(operations),
        acknowledged=sum(each.acknowledged for each in operations),
        unknown=sum(each.unknown for each in operations),
        promotions=history.acknowledged_promotions,
        writable_s=writable_s,
        violations={str(kind): n for kind, n in counts(violations).items()},
        failure=failure,
    )


def append(path: Path, row: Row) -> None:
    """Add a row to the file (JSON lines), so that an interrupted run can be resumed."""
    with path.open("ab") as file:
        file.write(orjson.dumps(asdict(row), option=orjson.OPT_APPEND_NEWLINE))


def load(path: Path) -> list[Row]:
    """The rows so far; none where there is no file. A last line that was cut off is passed over."""
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    return [Row(**orjson.loads(line)) for line in lines if line.endswith(b"\n")]


def markdown(rows: Iterable[Row]) -> str:
    """The table."""
    lines = [_line(_HEADER), _line(["---"] * len(_HEADER))]
    return "\n".join([*lines, *(_line(_cells(row)) for row in rows)]) + "\n"


def _cells(row: Row) -> list[str]:
    writable = "never" if row.writable_s is None else f"{row.writable_s:.1f} s"
    numbers = [str(row.operations), str(row.acknowledged), str(row.unknown)]
    return [row.fault, row.took_effect, *numbers, writable, row.verdict]


def _line(cells: Iterable[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def last_line(rows: Sequence[Row]) -> str:
    """The totals; `acknowledged` are promotions."""
    totals = [f"{kind}: {sum(row.violations.get(kind, 0) for row in rows)}" for kind in KINDS]
    promotions = sum(row.promotions for row in rows)
    return " ".join([*totals, f"schedules: {len(rows)}", f"acknowledged: {promotions}"])
