"""A sidecar whose clock jumps takes no writes, and gives way to one whose clock is right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import ClockJump
from bps.core.ports import Key, Store
from bps.leadership.modes import Mode, Reason
from bps.policy.model import DEFAULT_POLICY
from bps.policy.replace import ReplacePolicy
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.unit.keyring.people import key_of


class SetClock(SystemClock):
    """The real clock of a host whose wall clock somebody sets."""

    def __init__(self, ahead_ms: int = 0) -> None:
        self.ahead_ms = ahead_ms

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


@pytest.fixture(autouse=True)
def clocks_are_judged_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bps.sidecar.clock_watch._TICK_S", 0.02)


@asynccontextmanager
async def sidecar(
    store: Store, name: str, clock: SystemClock, signer: int = 1
) -> AsyncIterator[Sidecar]:
    settings = SidecarSettings(name, campaign_s=0.2, signer=key_of(signer))
    async with Sidecar(store, clock, settings) as running:
        await running.ready()
        yield running


@asynchronous
async def test_a_lone_sidecar_holds_at_a_jump_and_goes_on_when_it_is_taken_back() -> None:
    clock = SetClock()
    async with sidecar(MemoryStore(clock), "one", clock) as one:
        await eventually(lambda: _is(one, None), "it writes")
        clock.ahead_ms = 600_000
        await eventually(lambda: _is(one, Reason.CLOCK_JUMP), "the jump is seen")
        with pytest.raises(ClockJump, match=r"600\.\d s ahead of the time that passed") as refused:
            one.terms.write_path()
        assert abs(int(str(refused.value.facts["ahead_ms"])) - 600_000) < 100
        assert "bps mode read-write" in (refused.value.next_action or "")
        assert one.terms.leads
        clock.ahead_ms = 1_500
        await _never_writes(one)
        clock.ahead_ms = 0
        await eventually(lambda: _is(one, None), "it writes again")


@asynchronous
async def test_an_operator_accepts_a_lone_clock(caplog: pytest.LogCaptureFixture) -> None:
    clock = SetClock()
    async with sidecar(MemoryStore(clock), "one", clock) as one:
        clock.ahead_ms = -600_000
        await eventually(lambda: _is(one, Reason.CLOCK_JUMP), "the jump is seen")
        rules = {**DEFAULT_POLICY.rules, "max_branches": 9}
        command = ReplacePolicy("tester", "policy", rules, None, ("*",))
        with pytest.raises(ClockJump, match="behind"):
            await one.execute(command)
        one.clocks.accept("operator-1")
        await one.execute(command)
        assert "operator-1 accepts the clock" in caplog.text


@pytest.mark.parametrize(
    ("off_s", "held"),
    [(31 * 86_400, True), (29 * 86_400, False), (-3_700, True), (-3_500, False)],
)
def test_a_lone_sidecar_that_starts_far_from_the_newest_checkpoint_waits(
    off_s: int, held: bool
) -> None:
    @asynchronous
    async def judged() -> None:
        clock = SetClock()
        store = MemoryStore(clock)
        async with sidecar(store, "one", clock) as one:
            await eventually(lambda: _has_checkpoint(one), "a checkpoint is there")
        clock.ahead_ms = off_s * 1_000
        async with sidecar(store, "two", clock) as two:
            await eventually(lambda: _is(two, Reason.CLOCK_JUMP if held else None), "it is judged")
            if held:
                with pytest.raises(ClockJump, match="the newest checkpoint"):
                    two.terms.write_path()

    judged()


@asynchronous
async def test_a_leader_whose_clock_jumped_gives_way_to_one_whose_clock_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The clocks of both are told often, so that nobody waits.
    monkeypatch.setattr("bps.sidecar.clock_watch._PERIOD_S", 0.1)
    monkeypatch.setattr("bps.sidecar.clock_watch._APART_MS", 50)
    bad, good = SetClock(), SetClock()
    store = MemoryStore(good)
    async with sidecar(store, "bad", bad) as first, sidecar(store, "good", good, 2) as second:
        assert first.terms.leads
        await eventually(lambda: _knows_a_peer(first), "the other's clock is known")
        await eventually(lambda: _knows_a_peer(second), "the other's clock is known")
        bad.ahead_ms = 60_000
        await eventually(lambda: _is(second, None), "the other one leads and writes")
        assert first.clocks.doubt is not None
        assert second.clocks.doubt is None
        first.clocks.accept("operator-1")
        assert first.clocks.doubt is not None, "other clocks outweigh anybody's word"
        bad.ahead_ms = 0
        await eventually(lambda: _trusts_itself(first), "the clock was set right")


@asynchronous
async def test_a_gap_in_the_watch_does_not_clear_a_clock_that_others_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bps.sidecar.clock_watch._PERIOD_S", 0.5)
    monkeypatch.setattr("bps.sidecar.clock_watch._APART_MS", 50)
    good, bad = SetClock(), SetClock(60_000)
    store = MemoryStore(good)
    async with sidecar(store, "good", good) as _, sidecar(store, "bad", bad, 2) as second:
        await eventually(lambda: _holds_clock(second), "its clock is in doubt")
        gaps = second.feed.rollbacks
        second.feed.restart()

        async def heard_again() -> bool:
            assert await _holds_clock(second), "the doubt was dropped with the others' clocks"
            return second.feed.rollbacks > gaps and await _knows_a_peer(second)

        await eventually(lambda: _forgot(second), "the others' clocks are forgotten")
        await eventually(heard_again, "the others' clocks are known again")


@asynchronous
async def test_a_lone_sidecar_writes_no_clock() -> None:
    clock = SetClock()
    store = MemoryStore(clock)
    async with sidecar(store, "one", clock) as one:
        await one.clocks._tell()
        assert (await store.snapshot([Key(keys.clock("one"))])).answers == ((),)


async def _is(running: Sidecar, reason: Reason | None) -> bool:
    if reason is None:
        return running.terms.mode is Mode.READ_WRITE
    return running.terms.reason is reason


async def _has_checkpoint(running: Sidecar) -> bool:
    return running.mirror.mirror.last is not None


async def _knows_a_peer(running: Sidecar) -> bool:
    return len(running.clocks._peer_clocks()) == 1


async def _trusts_itself(running: Sidecar) -> bool:
    return running.clocks.doubt is None


async def _never_writes(running: Sidecar) -> None:
    """The next judgement, made here, leaves it held."""
    await running.clocks.check()
    assert running.terms.reason is Reason.CLOCK_JUMP


async def _holds_clock(running: Sidecar) -> bool:
    return Reason.CLOCK_JUMP in {each.reason for each in running.terms.holds}


async def _forgot(running: Sidecar) -> bool:
    return not running.clocks._samples
