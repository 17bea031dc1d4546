"""What must catch each planted bug: a script of the machine, or a scenario."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bps.store.etcd import EtcdStore
from bps.store.memory import MemoryStore
from tests.doubles.manual_clock import ManualClock
from tests.fault.planted import scenarios
from tests.unit.machine.checks import Violated
from tests.unit.machine.lab import Lab
from tests.unit.machine.scripts import FIX, HOUR_MS, Script, play
from tests.unit.machine.virtual_leases import VirtualLeases


@dataclass(frozen=True, slots=True)
class ByScript:
    """A script during which the promise named `promise` is broken."""

    promise: str
    steps: Script

    def caught(self, endpoints: Sequence[str] = ()) -> str | None:
        """What the bug broke, in memory or on the etcd at `endpoints`; None where nothing was."""
        try:
            asyncio.run(self._play(endpoints))
        except Violated as violated:
            return str(violated)
        return None

    async def _play(self, endpoints: Sequence[str]) -> None:
        clock = ManualClock()
        if not endpoints:
            await play(Lab(MemoryStore(clock), clock), self.steps)
            return
        async with EtcdStore(list(endpoints)) as etcd:
            await play(Lab(VirtualLeases(etcd, clock), clock), self.steps)

    def expected(self, found: str) -> bool:
        """Whether it is what this bug breaks, and not something else."""
        return found.startswith(f"{self.promise}: ")


@dataclass(frozen=True, slots=True)
class ByScenario:
    """A scenario that fails."""

    scenario: Callable[[], Awaitable[None]]
    on_etcd: Callable[[Sequence[str]], Awaitable[None]] | None = None
    """The same on the etcd at some endpoints."""

    def caught(self, endpoints: Sequence[str] = ()) -> str | None:
        """What the bug broke; None where nothing was."""

        async def bounded() -> None:
            async with asyncio.timeout(30):
                if endpoints and self.on_etcd is not None:
                    await self.on_etcd(endpoints)
                else:
                    await self.scenario()

        try:
            asyncio.run(bounded())
        except AssertionError as error:
            found = str(error).partition("\n")[0]
            return f"{self.scenario.__name__}: {found}"
        return None

    def expected(self, found: str) -> bool:
        """Whatever its assertions say."""
        return bool(found)


Detector = ByScript | ByScenario

_TOLD_UNAVAILABLE: Final = ["unavailable"] * 120
"""Longer than a command tries."""

DETECTORS: Final[dict[str, Detector]] = {
    "fence_dropped": ByScript(
        "old fence",
        [*FIX, ("promote", 0, 0, (0,), ("hold_request",)), ("usurp", 1), ("go_on", 0)],
    ),
    "op_record_not_created": ByScript("unrecorded", [("register", 0, 0, "v1")]),
    "aborted_record_not_compared": ByScript(
        "aborted",
        [*FIX, ("promote", 0, 0, (0,), ("late", "pass", *_TOLD_UNAVAILABLE)), ("deliver", 0)],
    ),
    "head_not_bumped": ByScript("log", [("register", 0, 0, "v1"), ("open", 0, 0, 0)]),
    "head_not_compared": ByScript(
        "overwritten", [*FIX, ("open", 0, 0, 1, ("hold_reply",)), ("cancel", 0), ("open", 0, 0, 2)]
    ),
    "event_time_from_the_wall_clock": ByScript(
        "time", [*FIX, ("step_wall_clock", 0, -2 * HOUR_MS), ("promote", 0, 0, (0,))]
    ),
    "pointer_in_a_second_transaction": ByScript("torn", [*FIX, ("promote", 0, 0, (0,))]),
    "noop_on_a_stale_view": ByScript(
        "stale",
        [
            *FIX,
            ("open", 0, 0, 1),
            ("usurp", 1),
            ("promote", 1, 0, (0,)),
            ("rebase", 0, 0, 1),
        ],
    ),
    "last_contributor_wins": ByScript(
        "merge",
        [
            ("register", 0, 0, "one: 1\n\ntwo: 2\n"),
            ("open", 0, 0, 0),
            ("open", 0, 0, 1),
            ("submit", 0, 0, 0, "one: 10\n\ntwo: 2\n"),
            ("submit", 0, 0, 1, "one: 1\n\ntwo: 20\n"),
            ("promote", 0, 0, ()),
        ],
    ),
    "witness_removed": ByScenario(scenarios.a_store_without_the_witness_takes_no_write),
    "new_operation_id_after_unknown": ByScript(
        "refused", [*FIX, ("promote", 0, 0, (0,), ("lose_reply",))]
    ),
    "read_back_instead_of_settlement": ByScript(
        "refused", [*FIX, ("promote", 0, 0, (0,), ("late",)), ("deliver", 0)]
    ),
    "settlement_without_its_compare": ByScript(
        "refused", [*FIX, ("promote", 0, 0, (0,), ("lose_reply",))]
    ),
    "unknown_told_as_refused": ByScript("refused", [*FIX, ("promote", 0, 0, (0,), ("cut",))]),
    "request_not_compared": ByScenario(
        scenarios.an_operation_id_is_not_answered_with_another_request
    ),
    "lease_by_the_wall_clock": ByScript(
        "lease", [("cut", 0), ("step_wall_clock", 0, -2 * HOUR_MS), ("time", 12.0)]
    ),
    "lease_from_the_reply": ByScript(
        "lease",
        [("hold_keepalives", 0), ("time", 8.0), ("go_on", 0), ("cut", 0), ("time", 5.6)],
    ),
    "late_keepalive_resumes_the_term": ByScript(
        "resumed", [("cut", 0), ("time", 9.2), ("heal", 0), ("time", 0.5)]
    ),
    "hold_ignored": ByScenario(scenarios.a_hold_forbids_writing_while_it_lasts),
    "watch_resumed_from_the_header": ByScenario(
        scenarios.a_broken_watch_misses_nothing, scenarios.a_watch_from_the_past_misses_nothing
    ),
    "published_floor_removed": ByScenario(
        scenarios.nothing_older_is_served_than_what_was_published_here
    ),
    "degraded_floor_removed": ByScenario(scenarios.degraded_reads_do_not_go_back),
}
"""By bug."""
