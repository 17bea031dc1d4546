"""This host's clock, held against those of the other sidecars and against the store (R13).

A record on the presence's lease says each 5 s what the clock shows, where another sidecar lives:
one Raft write per sidecar per 5 s, none for a lone one. It goes outside the write path, as presence
does, and is put blindly: no decision of the write path reads it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pydantic import StringConstraints

from bps.checkpoints.model import Checkpoint
from bps.core import keys
from bps.core.codec import Record, TimeMs
from bps.core.errors import BpsError, ClockJump, FencedOut, IntegrityError, StoreError
from bps.core.ports import Clock, Prefix, Store, WatchBatch
from bps.core.txn import KV, Put, Txn
from bps.leadership.clock_check import (
    RELEASE_MS,
    ClockBounds,
    Doubt,
    Evidence,
    Offset,
    PeerClock,
    judge,
    offset,
)
from bps.leadership.modes import Reason
from bps.sidecar.feed import Feed
from bps.sidecar.peers import Peers
from bps.sidecar.presence import Presence
from bps.sidecar.terms import Terms

_TICK_S: Final = 1.0
_PERIOD_S: Final = 5.0
_SAMPLES: Final = 3
_APART_MS: Final = 2_500
"""Samples that come closer together waited somewhere; they count as one."""

_log = logging.getLogger(__name__)


class SidecarClock(Record):
    """`clocks/{id}`: what a living sidecar's wall clock showed when it put this."""

    KIND: ClassVar[str] = "sidecar_clock"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    name: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    clock_ms: TimeMs


@dataclass(slots=True)
class _Samples:
    """How far a peer's clock is ahead of our time since start, as it came in.

    The way here only makes it look behind: the largest of the last few is the nearest to the truth.
    """

    name: str
    leads_ms: deque[int] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    last_ms: int = 0
    agreed_ms: int | None = None

    def add(self, clock_ms: int, now_ms: int) -> None:
        lead_ms = clock_ms - now_ms
        if self.leads_ms and now_ms - self.last_ms < _APART_MS:
            self.leads_ms[-1] = max(self.leads_ms[-1], lead_ms)
            return
        self.leads_ms.append(lead_ms)
        self.last_ms = now_ms

    @property
    def lead_ms(self) -> int | None:
        """None before two have come."""
        return max(self.leads_ms) if len(self.leads_ms) > 1 else None


class ClockWatch:
    """Run `run` as a task; `check` before a term begins. `doubt` is what is amiss with the clock.

    While there is one, writing is held (`CLOCK_JUMP`), and a leader gives way to a sidecar whose
    clock is right. Cost: see the module; one round trip at the start.
    """

    def __init__(
        self,
        store: Store,
        feed: Feed,
        clock: Clock,
        *,
        name: str,
        presence: Presence,
        peers: Peers,
        terms: Terms,
        bounds: ClockBounds,
        elapsed_s: Callable[[], float] | None = None,
    ) -> None:
        """`elapsed_s` counts also while the host is suspended; default: the monotonic clock."""
        self._store = store
        self._clock = clock
        self._name = name
        self._presence = presence
        self._peers = peers
        self._terms = terms
        self._bounds = bounds
        self._elapsed_s = elapsed_s or clock.monotonic_s
        self._samples: dict[bytes, _Samples] = {}
        self._trusted_ms = clock.now_ms() - self._now_ms()
        self._was_trusted = False
        self._looked = False
        self._newest_ms: int | None = None
        self._by_peers = False
        self._deaf_until_ms = 0
        self.doubt: Doubt | None = None
        feed.listen(self._learn, on_gap=self._missed)

    @property
    def offset(self) -> Offset | None:
        """How far this clock is from those of the living sidecars; None: none is known."""
        return offset(self._peer_clocks())

    async def run(self) -> None:
        """Judge each second, tell each 5 s, until cancelled."""
        told_ms: int | None = None
        while True:
            try:
                await self.check()
                now_ms = self._now_ms()
                if told_ms is None or now_ms - told_ms >= _PERIOD_S * 1_000:
                    told_ms = now_ms
                    await self._tell()
            except BpsError as error:
                _log.info("the clock is not compared: %s", error.message)
            await self._clock.sleep(_TICK_S)

    async def check(self) -> None:
        """Judge now; the first time the newest checkpoint is read: one round trip.

        Raises:
            Unavailable: the store does not answer.
        """
        if not self._looked:
            wanted = [Prefix(keys.CHECKPOINTS, limit=1, descending=True)]
            stored = (await self._store.snapshot(wanted)).answers[0]
            if stored and self._newest_ms is None:
                self._newest_ms = _time_of(stored[0])
            self._looked = True
        self._judge()

    def accept(self, by: str) -> None:
        """`by`, an operator, says that a lone clock is right; other clocks outweigh anybody's word.

        Nothing where it is not in doubt.
        """
        if self.doubt is None or self._peer_clocks():
            return
        _log.warning(
            "%s accepts the clock, %d ms ahead of %s",
            by,
            self.doubt.ahead_ms,
            self.doubt.compared_with,
        )
        self._trust()
        self._judge()

    def _judge(self) -> None:
        peers = self._peer_clocks()
        if self._by_peers and not peers and self._now_ms() < self._deaf_until_ms:
            return
        evidence = Evidence(self._jumped_ms(), peers, self._ahead_of_store_ms())
        before, self.doubt = self.doubt, judge(evidence, self._bounds, held=self.doubt is not None)
        self._by_peers = self.doubt is not None and bool(peers)
        if self.doubt is None:
            self._trust()
            if before is not None:
                self._terms.release(Reason.CLOCK_JUMP)
            for each in self._samples.values():
                ahead_ms = self._ahead_ms(each)
                if ahead_ms is not None and abs(ahead_ms) <= RELEASE_MS:
                    each.agreed_ms = each.lead_ms
            return
        self._terms.hold(Reason.CLOCK_JUMP, _error(self.doubt, alone=not peers))
        if self.doubt.successor and self._terms.leads:
            why = "This sidecar gave the leadership up: its clock is in doubt."
            self._terms.lost(FencedOut(why))

    def _trust(self) -> None:
        self._trusted_ms = self._clock.now_ms() - self._now_ms()
        self._was_trusted = True

    def _jumped_ms(self) -> int:
        return self._clock.now_ms() - self._now_ms() - self._trusted_ms

    def _ahead_of_store_ms(self) -> int | None:
        if self._was_trusted or self._newest_ms is None:
            return None
        return self._clock.now_ms() - self._newest_ms

    def _peer_clocks(self) -> list[PeerClock]:
        found = []
        for each in self._samples.values():
            ahead_ms, lead_ms = self._ahead_ms(each), each.lead_ms
            if ahead_ms is None or lead_ms is None:
                continue
            agreed_ms = each.leads_ms[0] if each.agreed_ms is None else each.agreed_ms
            moved_ms = each.leads_ms[-1] - agreed_ms
            elder = self._peers.is_elder(each.name, self._name)
            found.append(PeerClock(each.name, ahead_ms, moved_ms, elder))
        return found

    def _ahead_ms(self, peer: _Samples) -> int | None:
        lead_ms = peer.lead_ms
        return None if lead_ms is None else lead_ms + self._now_ms() - self._clock.now_ms()

    async def _tell(self) -> None:
        """Put the clock where another sidecar lives to hear it."""
        lease_id = self._presence.lease_id
        if lease_id is None or len(self._peers.sidecars) < 2:  # noqa: PLR2004 - this one is one
            return
        record = SidecarClock(name=self._name, clock_ms=self._clock.now_ms())
        put = Put(keys.clock(self._name), record.encode(), lease_id)
        try:
            await self._store.commit(Txn((), (put,)))
        except StoreError as error:
            # The next one is due in 5 s; an older one that lands late only looks behind.
            _log.info("this sidecar's clock was not told: %s", error.message)

    def _missed(self) -> None:
        """The other clocks are not known now; a doubt that they raised waits until they are."""
        self._samples.clear()
        self._deaf_until_ms = self._now_ms() + round(_SAMPLES * _PERIOD_S * 1_000)

    def _learn(self, batch: WatchBatch) -> None:
        for event in batch.events:
            kv = event.kv
            if kv.key.startswith(keys.CHECKPOINTS) and not event.deleted:
                self._newest_ms = _time_of(kv) or self._newest_ms
            elif kv.key.startswith(keys.CLOCKS) and kv.key != keys.clock(self._name):
                self._hear(kv, deleted=event.deleted)

    def _hear(self, kv: KV, *, deleted: bool) -> None:
        if deleted:
            self._samples.pop(kv.key, None)
            return
        try:
            told = SidecarClock.decode(kv.value, key=kv.key)
        except IntegrityError as error:
            _log.warning("a sidecar's clock is not used: %s", error.message)
            return
        self._samples.setdefault(kv.key, _Samples(told.name)).add(told.clock_ms, self._now_ms())

    def _now_ms(self) -> int:
        """Time since some start, which nobody sets."""
        return round(self._elapsed_s() * 1_000)


def _time_of(kv: KV) -> int | None:
    """When a checkpoint was written; None where the record is damaged, which the mirror says."""
    try:
        return Checkpoint.decode(kv.value).time_ms
    except IntegrityError:
        return None


def _error(doubt: Doubt, *, alone: bool) -> ClockJump:
    off_s, side = abs(doubt.ahead_ms) / 1_000, "ahead of" if doubt.ahead_ms > 0 else "behind"
    msg = f"The clock of this host is {off_s:.1f} s {side} {doubt.compared_with}."
    error = ClockJump(msg, ahead_ms=doubt.ahead_ms)
    action = "Set the clock of this host; writing goes on by itself"
    if alone:
        return error.advising(f"{action}. If it is right: `bps mode read-write` says so.")
    return error.advising(f"{action} within a quarter of a minute.")
