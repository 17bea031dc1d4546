"""An operator says over HTTP that the clock of a lone sidecar is right."""

from __future__ import annotations

import time

import pytest

from bps.leadership.modes import Reason
from tests.asynchronous import asynchronous, eventually
from tests.unit.http.harness import served

OFF_MS = 600_000


@asynchronous
async def test_read_write_accepts_a_clock_in_doubt_and_says_who_did(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bps.sidecar.clock_watch._TICK_S", 0.02)
    async with served() as here:
        sidecar = here.sidecar
        monkeypatch.setattr(sidecar.clock, "now_ms", lambda: int(time.time() * 1_000) + OFF_MS)

        async def held() -> bool:
            return sidecar.terms.reason is Reason.CLOCK_JUMP

        await eventually(held, "the jump is seen")
        wanted = {"mode": "READ_WRITE", "reason": "it was NTP"}
        refused = await here.call("PUT", "/v1/mode", json=wanted)
        assert refused.status_code == 403
        assert await held()
        done = await here.call("PUT", "/v1/mode", role="operator", json=wanted, key="once")
        assert done.status_code == 200
        assert not await held()
        assert "accepts the clock" in caplog.text
        monkeypatch.setattr(sidecar.clock, "now_ms", lambda: int(time.time() * 1_000))
        await eventually(held, "it jumps back")
        again = await here.call("PUT", "/v1/mode", role="operator", json=wanted, key="once")
        assert again.status_code == 200
        assert await held(), "a repeated request is no new word"
