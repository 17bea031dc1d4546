"""What the canonical blueprint locks stays as it is."""

from __future__ import annotations

import pytest

from tests.unit.validators.judged import judged, places
from validators.locked_fields import LockedFields


def found(base: str | None, merged: str) -> list[str]:
    findings = judged(LockedFields(), merged, base=base)
    assert {code for _, code in places(findings)} <= {"locked-field"}
    return [path for path, _ in places(findings)]


@pytest.mark.parametrize(
    ("base", "merged"),
    [
        (None, "_locked_a: 1"),
        ("a: 1", "a: 2"),
        ("a: 1", "{a: 1, _a_locked: true}"),
        ("{_locked_a: 1, b: 2}", "{b: 3, _locked_a: 1}"),
        ("{a: 1, _a_locked: false}", "{a: 2, _a_locked: true}"),
        ("{a: 1, _a_locked: yes it is}", "{a: 2}"),
        ("{_locked_: 1, _locked: true}", "{}"),
        ("l: [{id: a, _locked_x: 1}, {id: b}]", "l: [{id: b}, {id: a, _locked_x: 1}]"),
    ],
)
def test_what_is_not_locked_or_not_changed_is_free(base: str | None, merged: str) -> None:
    assert found(base, merged) == []


@pytest.mark.parametrize(
    ("base", "merged", "paths"),
    [
        ("_locked_a: 1", "_locked_a: 2", ["/_locked_a"]),
        ("_locked_a: 1", "{}", ["/_locked_a"]),
        ("_locked_a: 1", "_locked_a: true", ["/_locked_a"]),
        ("_locked_a: 1", "_locked_a: 1.0", ["/_locked_a"]),
        ("_locked_a: {b: [1]}", "_locked_a: {b: [2]}", ["/_locked_a"]),
        ("{a: 1, _a_locked: true}", "{a: 2, _a_locked: true}", ["/a"]),
        ("{a: 1, _a_locked: true}", "{a: 2}", ["/a", "/_a_locked"]),
        ("{a: 1, _a_locked: true}", "{a: 1, _a_locked: false}", ["/_a_locked"]),
        ("_a_locked: true", "{_a_locked: true, a: 1}", ["/a"]),
        ("x: {_locked_a: 1}", "y: 1", ["/x/_locked_a"]),
        ("x: {_locked_a/b: 1}", "x: 1", ["/x/_locked_a~1b"]),
        (
            "l: [{id: a, _locked_x: 1}, {id: b}]",
            "l: [{id: b}, {id: a, _locked_x: 2}]",
            ["/l/1/_locked_x"],
        ),
        ("l: [{id: a, _locked_x: 1}]", "l: [{id: b}]", ["/l/_locked_x"]),
        ("l: [{_locked_x: 1}]", "l: []", ["/l/_locked_x"]),
    ],
)
def test_a_locked_field_that_was_touched_is_found(base: str, merged: str, paths: list[str]) -> None:
    assert found(base, merged) == paths
