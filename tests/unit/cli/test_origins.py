"""`bps origins` as a table, directly and through the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.unit.cli.both_ways import Way, directly, through_the_service


def repaired(desk: Way, base: str, fixes: Mapping[str, str]) -> dict[str, str]:
    """EP-1 with a branch that succeeded for each fix; the RR-plans by their cause."""
    desk.data("plan", "register", "EP-1", "-", stdin=base.encode())
    named = {}
    for cause, text in fixes.items():
        cause_of = ("--trace-id", cause, "--fingerprint", cause)
        named[cause] = desk.data("branch", "open", "EP-1", *cause_of)["rr_plan"]
        desk.data("branch", "submit", "EP-1", named[cause], "-", stdin=text.encode())
    return named


def test_what_a_decision_removed_is_told_with_who_decided(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk = directly(monkeypatch, tmp_path)
    base = "one: 10\ntwo: 2\n"
    fixes = {"drop": base.replace("one: 10\n", ""), "more": base.replace("one: 10", "one: 11")}
    named = repaired(desk, base, fixes)
    assert desk.bps("promote", "EP-1").code == 1
    take = ("--path", "/one", "--take", named["drop"], "--complete")
    desk.data("review", "resolve", "EP-1-RV1", *take)
    shown = desk.bps("origins", "EP-1")
    assert shown.out.splitlines()[1].split() == ["/one", "resolved", named["drop"], "10", "-"]
    (decided,) = [line for line in shown.err.splitlines() if line.startswith("decided by ")]
    assert decided.endswith(f": /one take {named['drop']}")


@pytest.mark.parametrize("way", [directly, through_the_service])
def test_origins_name_each_path_with_whose_change_it_is(
    way: Callable[[pytest.MonkeyPatch, Path], Way],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    desk = way(monkeypatch, tmp_path)
    base = "title: x\n\none: 1\n\ntwo: 2\n"
    fixes = {"one": base.replace("one: 1", "one: 10"), "two": base.replace("two: 2\n", "")}
    named = repaired(desk, base, fixes)
    desk.data("promote", "EP-1", "--reason", "both at once")
    shown = desk.bps("origins", "EP-1")
    rows = [line.split() for line in shown.out.splitlines()]
    assert rows[0] == ["PATH", "CHANGE", "FROM", "BEFORE", "AFTER"]
    assert sorted(rows[1:]) == [
        ["/one", "changed", named["one"], "1", "10"],
        ["/two", "deleted", named["two"], "2", "-"],
    ]
    head, published, reason, *sources = shown.err.splitlines()
    assert head == "EP-1: version 2 (merge), since version 1"
    assert published.startswith("published 2")
    assert reason == "reason: both at once"
    assert {source.partition(" by ")[0] for source in sources} == set(named.values())
    assert all(" by " in source for source in sources)
    first = desk.bps("origins", "EP-1", "1")
    assert first.out.split()[5:] == ["(all)", "added", "-", "-", "..."]
    assert first.err.startswith("EP-1: version 1 (registration)\n")
