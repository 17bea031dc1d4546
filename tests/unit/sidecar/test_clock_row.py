"""What doctor says of a sidecar's clock."""

from __future__ import annotations

import pytest

from bps.clock import SystemClock
from bps.core.errors import ClockJump, ReadOnly
from bps.leadership.clock_check import Offset, PeerClock, offset
from bps.leadership.modes import Hold, Reason
from bps.sidecar.clock_row import clock_row
from bps.sidecar.diagnosis import diagnose_sidecar
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually

JUMPED = Hold(
    Reason.CLOCK_JUMP,
    ClockJump("The clock of this host is 9.0 s ahead of sidecar b.").advising("Set the clock."),
)
BRAKED = Hold(Reason.OPERATOR, ReadOnly("An operator made all sidecars read-only."))
ALONE = "alone: no other sidecar's clock is known"


@pytest.mark.parametrize(
    ("found", "holds", "status", "detail", "action"),
    [
        (None, [], "ok", ALONE, ""),
        (None, [BRAKED], "ok", ALONE, ""),
        (Offset(0, "sidecar b"), [], "ok", "0 ms ahead of sidecar b", ""),
        (Offset(-40, "sidecar b"), [], "ok", "40 ms behind sidecar b", ""),
        (Offset(2_000, "sidecar b"), [], "ok", "2000 ms ahead of sidecar b", ""),
        (
            Offset(-2_001, "sidecar b"),
            [],
            "warning",
            "2001 ms behind sidecar b",
            "Compare the clock of this host with that of sidecar b.",
        ),
        (
            Offset(9_000, "sidecar b"),
            [BRAKED, JUMPED],
            "failed",
            JUMPED.error.message,
            "Set the clock.",
        ),
        (None, [JUMPED], "failed", JUMPED.error.message, "Set the clock."),
    ],
)
def test_the_row_says_how_far_the_clock_is_off_and_what_to_do(
    found: Offset | None, holds: list[Hold], status: str, detail: str, action: str
) -> None:
    row = clock_row(found, holds)
    assert (row.check, row.status, row.detail, row.next_action) == ("clock", status, detail, action)


@pytest.mark.parametrize(
    ("peers_ahead_ms", "expected"),
    [
        ([], None),
        ([300], Offset(-300, "sidecar peer-0")),
        ([300, 100], Offset(-100, "the median of 3 sidecars")),
        ([-500, -400, 7_000, -600], Offset(400, "the median of 5 sidecars")),
    ],
)
def test_the_offset_is_from_the_median_or_from_the_only_other(
    peers_ahead_ms: list[int], expected: Offset | None
) -> None:
    peers = [PeerClock(f"peer-{n}", ms, 0, elder=False) for n, ms in enumerate(peers_ahead_ms)]
    assert offset(peers) == expected


class SetClock(SystemClock):
    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


@asynchronous
async def test_a_running_sidecar_has_the_row_and_it_fails_with_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bps.sidecar.clock_watch._TICK_S", 0.02)
    clock = SetClock()
    async with Sidecar(MemoryStore(clock), clock, SidecarSettings("test")) as running:
        await running.ready()

        async def status(wanted: str) -> bool:
            rows = {row.check: row for row in await diagnose_sidecar(running)}
            return rows["clock"].status == wanted

        assert await status("ok")
        clock.ahead_ms = 600_000
        await eventually(lambda: status("failed"), "the jump is told")
