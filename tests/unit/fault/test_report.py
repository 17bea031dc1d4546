"""The table of schedules and its last line."""

from __future__ import annotations

from pathlib import Path

from tests.fault import report
from tests.fault.history import Refused, Unknown
from tests.fault.violation import Violation
from tests.unit.fault.story import PLAN, Story, good


def _row(seed: int, *violations: Violation, failure: str = "") -> report.Row:
    story = good()
    story.open("x", outcome=Unknown("x"), applied=False)
    story.open("x", outcome=Refused("x"), applied=False)
    return report.row_of(
        story.history,
        violations,
        seed=seed,
        fault="freeze | leader",
        took_effect="state T",
        writable_s=1.24,
        failure=failure,
    )


def test_rows_are_kept_and_added_up(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    assert report.load(path) == []
    lost = Violation("lost", "effects", PLAN, ("op-1",), "gone")
    rows = [_row(1), _row(2, lost, lost, Violation("old-fence", "fence", PLAN, (), "late"))]
    for row in rows:
        report.append(path, row)
    assert report.load(path) == rows
    assert report.last_line(rows) == (
        "lost: 2 duplicated: 0 old-fence: 1 non-linearizable: 0 schedules: 2 acknowledged: 6"
    )
    with path.open("a") as file:
        file.write('{"seed": 3')
    assert report.load(path) == rows


def test_the_table_shows_what_was_found() -> None:
    violation = Violation("lost", "effects", PLAN, ("op-1",), "gone")
    assert str(violation) == "lost: EP-1: gone [op-1] (effects)"
    table = report.markdown([_row(1), _row(2, violation), _row(3, failure="no effect")])
    head, _, good_row, bad_row, failed_row = table.splitlines()
    assert head == (
        "| fault | took effect | operations | acknowledged | unknown | time to writable | verdict |"
    )
    assert good_row == "| freeze \\| leader | state T | 19 | 17 | 1 | 1.2 s | ok |"
    assert bad_row.endswith("| lost: 1 |")
    assert failed_row.endswith("| no effect |")
    assert [_row(1).passed, _row(2, violation).passed, _row(3, failure="x").passed] == [
        True,
        False,
        False,
    ]


def test_nothing_run_is_nothing_acknowledged() -> None:
    assert report.last_line([]) == (
        "lost: 0 duplicated: 0 old-fence: 0 non-linearizable: 0 schedules: 0 acknowledged: 0"
    )
    assert Story().history.acknowledged_promotions == 0
