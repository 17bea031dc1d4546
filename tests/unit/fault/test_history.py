"""The history file: what was written is read back, whenever the run was killed."""

from __future__ import annotations

from pathlib import Path

from tests.fault.history import NO_ANSWER, Ok, Outcome, Recorder, Refused, Unknown, load
from tests.unit.fault.story import PLAN


def test_calls_and_answers_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "history"
    ok = Ok({"version": 2}, "repeated", revision=7, consistency="cache", age_ms=12)
    with Recorder(path) as recorder:
        first = recorder.called(1, "a", "promote", PLAN, {"refs": [("b" * 40, 1)]})
        second = recorder.called(2, "b", "read", PLAN, {"of": "canonical"})
        third = recorder.called(2, "c", "open", PLAN, {})
        recorder.note("fault", name="freeze")
        second.tried += ["s2", "s1"]
        recorder.returned(second, ok, term=4)
        recorder.returned(first, Refused("NOT_LEADER"))
        recorder.returned(third, Unknown("ReadTimeout"))
    history = load(path)
    a, b, c = history.operations
    assert (a.client, a.kind, a.outcome, a.sidecar) == (1, "promote", Refused("NOT_LEADER"), "")
    assert (b.outcome, b.sidecar, b.tried, b.term) == (ok, "s1", ("s2", "s1"), 4)
    assert (c.outcome, c.unknown, c.acknowledged) == (Unknown("ReadTimeout"), True, False)
    assert a.called_ns <= b.called_ns <= c.called_ns <= history.notes[0].at_ns
    assert b.returned_ns is not None
    assert b.returned_ns >= history.notes[0].at_ns
    assert [(note.what, note.facts) for note in history.notes] == [("fault", {"name": "freeze"})]


def test_each_line_is_in_the_file_at_once_and_a_cut_one_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "history"
    with Recorder(path) as recorder:
        call = recorder.called(1, "a", "promote", PLAN, {"refs": []})
        (killed,) = load(path).operations
        assert (killed.outcome, killed.returned_ns) == (Unknown(NO_ANSWER), None)
        recorder.returned(call, Ok({"version": 2}))
    path.write_bytes(path.read_bytes()[:-4])
    assert load(path).operations == (killed,)


def test_acknowledged_promotions_are_counted(tmp_path: Path) -> None:
    with Recorder(tmp_path / "history") as recorder:
        told: list[Outcome] = [Ok({}), Ok({}), Refused("x"), Unknown("y")]
        for number, outcome in enumerate(told):
            call = recorder.called(1, f"p{number}", "promote", PLAN, {})
            recorder.returned(call, outcome)
        recorder.returned(recorder.called(1, "o", "open", PLAN, {}), Ok({}))
    assert load(recorder.path).acknowledged_promotions == 2
