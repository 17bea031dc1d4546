"""A command says on standard error when a service without a quorum has answered it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bps.client import BpsClient, Target
from tests.unit.cli.invoke import invoke
from tests.unit.http.harness import served, token_of
from tests.unit.http.test_degraded import divided

ENV = {
    "BPS_URL": "http://127.0.0.1",
    "BPS_TOKEN": token_of("supervisor"),
    "BPS_ETCD_ENDPOINTS": None,
    "BPS_STANDALONE": None,
}
TOLD = re.compile(r"read-only \(quorum_lost\): data as of revision (\d+), at most (\d+) s old\n")


@pytest.fixture(params=[True, False])
def lost(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Commands meet a service with a plan, which has lost its quorum or has it."""
    is_lost = bool(request.param)

    @asynccontextmanager
    async def client(target: Target, *, timeout_s: float) -> AsyncIterator[BpsClient]:
        async with served() as service:
            store = await divided(service)
            store.lost = is_lost
            transport = service.client._transport
            async with BpsClient(target, transport=transport, timeout_s=timeout_s) as opened:
                yield opened

    monkeypatch.setattr("bps.cli.remote.BpsClient", client)
    return is_lost


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("command", [("plan", "list"), ("plan", "show", "EP-42")], ids=" ".join)
def test_one_line_says_how_old_the_data_may_be_and_only_where_they_are(
    command: tuple[str, ...], output: str, *, lost: bool
) -> None:
    ran = invoke(*command, "-o", output, env=ENV)
    assert (ran.code, "EP-42" in ran.out) == (0, True), ran.err
    if not lost:
        assert ran.err == ""
        return
    told = TOLD.fullmatch(ran.err)
    assert told is not None, ran.err
    assert (int(told[1]) > 0, int(told[2]) < 60) == (True, True)
    if output == "json":
        assert json.loads(ran.out), "standard output has the data alone"
