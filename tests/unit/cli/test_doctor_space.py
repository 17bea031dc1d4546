"""`bps doctor --reclaim-space` never takes an etcd of our own for the one of a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.invoke import invoke

URL = "http://127.0.0.1:1"


@pytest.mark.parametrize("more", [(), ("--yes",)])
def test_a_service_alone_is_refused(tmp_path: Path, more: tuple[str, ...]) -> None:
    data = tmp_path / "etcd"
    env = {
        "BPS_ETCD_ENDPOINTS": None,
        "BPS_STANDALONE": None,
        "BPS_URL": URL,
        "BPS_ETCD_DATA_DIR": str(data),
    }
    ran = invoke("doctor", "--reclaim-space", *more, env=env)
    assert (ran.code, ran.out) == (2, "")
    assert "only a service is named" in ran.err
    assert "`bps --etcd HOST:PORT,... doctor --reclaim-space`" in ran.err
    assert not data.exists()


def test_members_that_are_named_are_asked_whatever_the_service() -> None:
    ran = invoke("--url", URL, "doctor", "--reclaim-space", env={"BPS_STANDALONE": None})
    assert ran.code == 75
    assert "No etcd member answers" in ran.err
