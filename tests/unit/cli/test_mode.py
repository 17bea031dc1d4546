"""`bps mode` from the command line, directly and through the service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bps.clock import SystemClock
from bps.store.memory import MemoryStore
from tests.unit.cli.both_ways import Way, directly, through_the_service
from tests.unit.http.harness import token_of

WayOf = Callable[[pytest.MonkeyPatch, Path, MemoryStore], Way]


@pytest.mark.parametrize("way_of", [directly, through_the_service])
def test_an_operator_stops_writing_and_lets_it_go_on(
    way_of: WayOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    way = way_of(monkeypatch, tmp_path, store)
    way.env["BPS_TOKEN"] = token_of("operator")
    standalone = () if "BPS_URL" in way.env else ("--standalone",)
    shown = way.data("mode", "show")
    assert (shown["mode"], shown["by"]) == ("READ_WRITE", None)
    assert "since_at  -\n" in way.bps("mode", "show").out
    held = way.data("mode", "read-only", "--reason", "members are replaced", *standalone)
    assert (held["mode"], held["why"]) == ("READ_ONLY", "members are replaced")
    assert way.data("mode", "show") == held

    service = through_the_service(monkeypatch, tmp_path, store)
    register = ("plan", "register", "EP-1", "-", "-o", "json")
    refused = service.bps("--timeout", "2", *register, stdin=b"title: v1\n")
    assert refused.code == 75
    problem = refused.problem
    assert problem["code"] == "READ_ONLY"
    assert problem["facts"]["why"] == "members are replaced"

    way = way_of(monkeypatch, tmp_path, store)
    way.env["BPS_TOKEN"] = token_of("operator")
    assert way.data("mode", "read-write", *standalone)["mode"] == "READ_WRITE"
    assert way.data("mode", "show")["mode"] == "READ_WRITE"
