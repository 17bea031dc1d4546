"""What a command that did its work says of what did not go the way that its caller may think."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles.scene import PLAN
from tests.unit.cli.both_ways import Way, directly, through_the_service

BASE = b"title: checkout\nretries: 3\n"


@pytest.fixture(params=[directly, through_the_service], ids=["directly", "through the service"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Way:
    make: Callable[[pytest.MonkeyPatch, Path], Way] = request.param
    made = make(monkeypatch, tmp_path)
    made.data("plan", "register", PLAN, "-", stdin=BASE)
    return made


def opened(way: Way, name: str) -> str:
    cause = ("--trace-id", name, "--fingerprint", name)
    rr_plan: str = way.data("branch", "open", PLAN, *cause)["rr_plan"]
    return rr_plan


def fixed(way: Way, name: str, *pairs: tuple[bytes, bytes]) -> str:
    content = BASE
    for old, new in pairs:
        assert content.count(old) == 1
        content = content.replace(old, new)
    rr_plan = opened(way, name)
    ran = way.bps("branch", "submit", PLAN, rr_plan, "-", stdin=content)
    assert (ran.code, "warning" in ran.err) == (0, False), ran
    return rr_plan


def test_a_promotion_that_publishes_a_part_says_who_waits_and_what_to_do(way: Way) -> None:
    fixed(way, "T1", (b"checkout", b"till"))
    for number in (b"7", b"9"):
        fixed(way, f"R{number.decode()}", (b"3", number))
    ran = way.bps("promote", PLAN)
    assert ran.code == 0
    assert f"2 RR-plans wait in {PLAN}-RV1 for a person to decide 1 conflict\n" in ran.err
    assert f"next: Look at it with `bps review show {PLAN}-RV1`" in ran.err
    listed = [line.split() for line in way.bps("review", "list", PLAN).out.splitlines()]
    assert listed[0][:5] == ["REVIEW", "STATUS", "CONFLICTS", "DECIDED", "FINDINGS"]
    assert listed[1][:5] == [f"{PLAN}-RV1", "OPEN", "1", "0", "0"]


def test_one_that_waits_is_not_called_several(way: Way) -> None:
    ahead = fixed(way, "A", (b"3", b"7"))
    behind = fixed(way, "B", (b"3", b"9"))
    assert "RR-plan" not in way.bps("promote", PLAN, ahead).err
    ran = way.bps("promote", PLAN, behind)
    assert ran.code == 1
    assert f"error: 1 RR-plan waits in {PLAN}-RV1 " in ran.err


def test_a_fork_that_nobody_edited_is_submitted_with_a_warning(way: Way) -> None:
    rr_plan = opened(way, "T1")
    ran = way.bps("branch", "submit", PLAN, rr_plan, "-", stdin=BASE)
    assert ran.code == 0
    assert f"warning: {rr_plan} was submitted as it was forked from version 1" in ran.err
    assert f"next: if it is not what you meant, `bps branch rebase {PLAN} '{rr_plan}'`" in ran.err
