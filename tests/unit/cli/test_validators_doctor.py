"""`bps validators doctor`: where it looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.both_ways import directly, through_the_service

_HERE = "this is what is installed here"


def test_it_says_that_it_looks_here_where_a_service_told_the_policy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text('{"validators": [{"name": "references", "config": {}}]}')
    asked = through_the_service(monkeypatch, tmp_path)
    assert _HERE in asked.bps("validators", "doctor").err
    assert _HERE not in asked.bps("validators", "doctor", "--policy", str(policy)).err
    own = directly(monkeypatch, tmp_path)
    own.data("init")
    assert _HERE not in own.bps("validators", "doctor").err
