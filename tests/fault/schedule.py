"""One schedule: faults drawn from a seed, under traffic, healed, and everything held to account."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bps.store.etcd import EtcdStore
from tests.cluster.interface import FaultFailedError
from tests.fault.check import check_run
from tests.fault.failpoints.base import Fault, Part, parts_of
from tests.fault.history import Call, Ok, Outcome, Recorder, load
from tests.fault.report import Row, row_of
from tests.fault.scene import Scene
from tests.fault.terms import TermRecorder
from tests.fault.traffic import Traffic
from tests.fault.violation import Violation

LEAST_FAULTS = 3
WRITABLE_S = 20.0
_IN_TURN = 2
_MORE_SHARE = 0.3
_WARM_S = 1.0
_GAP_S = (0.2, 0.6)
_AFTER_S = 1.0
_DRAIN_S = 30.0
_QUIET_S = 0.6
_POLL_S = 0.05
_PLANS = 6
_FAULT_S = 40.0


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault, from `starts_s` after the traffic began, for `lasts_s`."""

    fault: type[Fault]
    starts_s: float
    lasts_s: float

    @property
    def ends_s(self) -> float:
        """When it is healed, if its injection takes no time."""
        return self.starts_s + self.lasts_s


@dataclass(frozen=True, slots=True)
class Schedule:
    """All that a seed decides."""

    seed: int
    planned: tuple[Planned, ...]

    @property
    def name(self) -> str:
        """Its faults."""
        return "; ".join(each.fault.name for each in self.planned)


def draw(seed: int, faults: Sequence[type[Fault]]) -> Schedule:
    """At least three faults: two in turn, so that none is forgotten, the others by weight.

    Faults of different parts overlap by chance; those of one part follow each other.
    """
    source = random.Random(f"schedule/{seed}")
    row = random.Random("in turn").sample(faults, len(faults))
    chosen = [row[(_IN_TURN * seed + n) % len(row)] for n in range(_IN_TURN)]
    wanted = LEAST_FAULTS + (source.random() < _MORE_SHARE)
    while len(chosen) < wanted:
        (fault,) = source.choices(faults, [each.weight for each in faults])
        if fault not in chosen and not (fault.closes and any(each.closes for each in chosen)):
            chosen.append(fault)
    # What ends a store is begun first, and judged last.
    chosen.sort(key=lambda fault: not fault.closes)
    free_s = dict.fromkeys(Part, _WARM_S)
    planned: list[Planned] = []
    for fault in chosen:
        before = planned[-1] if planned else None
        earliest_s = before.starts_s + source.uniform(0.3, before.lasts_s) if before else _WARM_S
        starts_s = max(earliest_s, *(free_s[part] for part in parts_of(fault)))
        each = Planned(fault, starts_s, source.uniform(*fault.lasts_s))
        free_s |= dict.fromkeys(parts_of(fault), each.ends_s + source.uniform(*_GAP_S))
        planned.append(each)
    return Schedule(seed, tuple(planned))


class Progress(Recorder):
    """A recorder that remembers when writes were acknowledged."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._acknowledged: list[tuple[int, int]] = []

    def returned(self, call: Call, outcome: Outcome, *, term: int | None = None) -> None:
        super().returned(call, outcome, term=term)
        if isinstance(outcome, Ok) and "read" not in call.kind:
            self._acknowledged.append((call.called_ns, time.monotonic_ns()))

    def writable_after_s(self, since_ns: int) -> float | None:
        """From `since_ns` to the first acknowledgement of a write that was called after it."""
        done = [end for called, end in self._acknowledged if called >= since_ns]
        return (min(done) - since_ns) / 1e9 if done else None


@dataclass(slots=True)
class _Effect:
    name: str
    injected_ns: int = 0
    evidence: str = ""
    failure: str = ""


@dataclass(slots=True)
class Run:
    """A schedule under way on a scene; `perform` is its whole life."""

    scene: Scene
    schedule: Schedule
    history_file: Path
    effects: list[_Effect] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    _parts: dict[Part, asyncio.Lock] = field(
        default_factory=lambda: {part: asyncio.Lock() for part in Part}
    )
    """One fault heals before another breaks the same part, however long its evidence took."""

    async def perform(self) -> Row:
        """Traffic, faults, healing, checks; what fails is in the row, nothing is raised for it."""
        plans = [f"EP-{self.schedule.seed * _PLANS + n + 1}" for n in range(_PLANS)]
        urls = {each.name: each.url for each in self.scene.sidecars}
        failure, writable_s = "", None
        with Progress(self.history_file) as recorder:
            async with EtcdStore(self.scene.etcd.endpoints) as store:
                seen = TermRecorder(store, recorder)
                await seen.begin()
                following = asyncio.create_task(seen.follow())
                seed = self.schedule.seed
                traffic = Traffic(urls, self.scene.token, recorder, plans, seed, f"s{seed}")
                closing: list[Fault] = []
                try:
                    writable_s = await self._under_traffic(traffic, recorder, closing)
                    failure = await self._judged(store, seen, plans)
                    for fault in closing:
                        await self._close(fault)
                except (FaultFailedError, TimeoutError, OSError, AssertionError) as error:
                    failure = f"{type(error).__name__}: {error}"
                finally:
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
        failures = [each.failure for each in self.effects if each.failure]
        failures += [failure] if failure else []
        failures += [each.unasked_end for each in self.scene.sidecars if each.unasked_end]
        if failures or self.violations:
            self.scene.is_broken = True
        return row_of(
            load(self.history_file),
            self.violations,
            seed=self.schedule.seed,
            fault=self.schedule.name,
            took_effect=self._told(recorder),
            writable_s=writable_s,
            failure="; ".join(failures),
        )

    async def _under_traffic(
        self, traffic: Traffic, recorder: Progress, closing: list[Fault]
    ) -> float | None:
        await traffic.register()
        stop = asyncio.Event()
        working = asyncio.create_task(traffic.work(stop))
        try:
            began_s = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for planned in self.schedule.planned:
                    group.create_task(self._fault(planned, began_s, recorder, closing))
            if any(each.failure for each in self.effects):
                await self.scene.restore()
            await self.scene.etcd.healthy()
            writable_s = await self._until_writable(recorder, working)
            await asyncio.sleep(_AFTER_S)
        finally:
            stop.set()
            async with asyncio.timeout(_DRAIN_S):
                await working
        return writable_s

    async def _fault(
        self, planned: Planned, began_s: float, recorder: Progress, closing: list[Fault]
    ) -> None:
        effect = _Effect(planned.fault.name)
        self.effects.append(effect)
        place = f"{self.schedule.seed}/{planned.fault.name}"
        fault = planned.fault(self.scene, random.Random(place))
        await asyncio.sleep(began_s + planned.starts_s - time.monotonic())
        try:
            async with AsyncExitStack() as broken, asyncio.timeout(_FAULT_S):
                for part in parts_of(planned.fault):
                    await broken.enter_async_context(self._parts[part])
                recorder.note("inject", fault=effect.name)
                await fault.inject()
                effect.injected_ns = time.monotonic_ns()
                await asyncio.sleep(planned.lasts_s)
                if planned.fault.closes:
                    closing.append(fault)
                    return
                try:
                    effect.evidence = await fault.evidence()
                    recorder.note("took_effect", fault=effect.name, evidence=effect.evidence)
                finally:
                    await fault.heal()
                    recorder.note("heal", fault=effect.name)
        except (FaultFailedError, TimeoutError, OSError) as error:
            effect.failure = f"{effect.name}: {type(error).__name__}: {error}"

    async def _until_writable(self, recorder: Progress, working: asyncio.Task[None]) -> float:
        healed_ns = time.monotonic_ns()
        end_s = time.monotonic() + WRITABLE_S
        while (writable_s := recorder.writable_after_s(healed_ns)) is None:
            if working.done():
                await working
            if time.monotonic() > end_s:
                raise FaultFailedError(f"nothing could be written {WRITABLE_S:g} s after healing")
            await asyncio.sleep(_POLL_S)
        return writable_s

    async def _judged(self, store: EtcdStore, seen: TermRecorder, plans: list[str]) -> str:
        """Wait until nothing is written any more, and check; what cannot be checked."""
        await self._quiet()
        revision = await self.scene.etcd.revision()
        end_s = time.monotonic() + _DRAIN_S
        while seen.revision < await self.scene.etcd.last_write():
            if time.monotonic() > end_s:
                return f"the watch of the leader's key stays at {seen.revision} of {revision}"
            # Only a write below the watched key, or its progress, moves the watch.
            if await self._holder_is_seen(seen):
                break
            await asyncio.sleep(_POLL_S)
        self.violations += await check_run(store, load(self.history_file), seen.found, plans)
        return ""

    async def _holder_is_seen(self, seen: TermRecorder) -> bool:
        holding = await self.scene.etcd.holding()
        terms = seen.found.terms
        newest = terms[-1] if terms else None
        open_at = newest.created if newest is not None and newest.ended is None else None
        return open_at == (holding.create_revision if holding is not None else None)

    async def _quiet(self) -> None:
        """Wait until what is still settled by the sidecars has landed."""
        last, since_s = -1, time.monotonic()
        end_s = time.monotonic() + _DRAIN_S
        while time.monotonic() - since_s < _QUIET_S:
            now = await self.scene.etcd.last_write()
            if now != last:
                last, since_s = now, time.monotonic()
            if time.monotonic() > end_s:
                raise FaultFailedError("plans are written on although the traffic ended")
            await asyncio.sleep(_POLL_S)

    async def _close(self, fault: Fault) -> None:
        effect = next(each for each in self.effects if each.name == fault.name)
        effect.evidence = await fault.evidence()

    def _told(self, recorder: Progress) -> str:
        """The evidence of each fault, and how long after it nothing could be written."""
        told = []
        for each in self.effects:
            if not each.evidence:
                continue
            after_s = recorder.writable_after_s(each.injected_ns)
            wrote = "" if after_s is None else f" (a write {after_s:.1f} s after)"
            told.append(f"{each.evidence}{wrote}")
        return "; ".join(told)
