"""Terms of leadership, one after the other: campaign, write, lose, campaign anew (R12).

A lost term is never resumed: its lease is revoked and a new election begins. Between terms, and
while something forbids writing, `write_path` says by name why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from bps.core.errors import (
    AvailabilityError,
    BpsError,
    Fact,
    FencedOut,
    IntegrityError,
    LeadershipError,
    NotLeader,
    StoreRolledBack,
    Unavailable,
)
from bps.core.ports import Clock, Store
from bps.core.txn import Compare, Fence
from bps.leadership.election import Leadership
from bps.leadership.left_leases import LeftLeases
from bps.leadership.modes import (
    Facts,
    Hold,
    Mode,
    Reason,
    Standing,
    Term,
    holds_of,
    reason_of,
    standing,
)
from bps.sidecar.edges import Edges
from bps.sidecar.peers import Leader
from bps.writepath.prepare import Workshop
from bps.writepath.transact import WritePath

_WATCH_TERM_S = 0.1
_PAUSE_S = 0.5
_PAUSE_ROLLED_BACK_S = 5.0
_FIRST_CAMPAIGN_S = 1.0
"""A standby is ready for reads as soon as it knows that another one leads."""

Recover = Callable[[WritePath], Awaitable[None]]
"""What a new leader proves before it takes writes. Raises StoreRolledBack to stay read-only."""


class Terms:
    """Run `run` as a task; ask `write_path` for each write; `drain` before the end."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sidecar: str,
        *,
        ttl_s: int,
        campaign_s: float,
        recover: Recover,
        witness: Callable[[], Compare | None],
        leader_now: Callable[[], Leader | None],
        workshop: Workshop | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sidecar = sidecar
        self._ttl_s = ttl_s
        self._campaign_s = campaign_s
        self._recover = recover
        self._witness = witness
        self._leader_now = leader_now
        self._workshop = workshop
        self._left = LeftLeases()
        self._path: WritePath | None = None
        self._fence: Fence | None = None
        self._facts = Facts()
        self._standing = standing(self._facts)
        self.edges = Edges(sidecar, clock.now_ms(), self._standing)
        self.terms = 0
        self._lost: BpsError | None = None
        self._decided = asyncio.Event()
        self._quorum = asyncio.Event()
        self._quorum.set()
        self._writing = asyncio.Event()

    @property
    def mode(self) -> Mode:
        """What this sidecar can do now."""
        return self._standing.mode

    @property
    def reason(self) -> Reason | None:
        """Why it is read-only."""
        return self._standing.reason

    @property
    def standing(self) -> Standing:
        """Mode and reason."""
        return self._standing

    @property
    def holds(self) -> tuple[Hold, ...]:
        """All that forbids writing now, the weightiest first."""
        return holds_of(self._facts)

    @property
    def fence(self) -> Fence | None:
        """The fence of the present term, also while something forbids writing."""
        return self._fence

    def write_path(self, despite: Collection[Reason] = ()) -> WritePath:
        """The write path of the present term, for a command that may pass the reasons `despite`.

        Raises:
            NotLeader: another sidecar leads, or none yet; the message names it and its address.
                facts: leader, and url where it is known.
            StoreRolledBack: the store lost what it had acknowledged; an operator has to decide.
            SchemaTooNew, ChainBroken, MalformedRecord: what a leader needs cannot be trusted.
            Unavailable: the store does not answer (QuorumLost), or is full (NoSpace).
            ReadOnly, ClockJump: an operator, or the clock of this host, forbids it.
        """
        now = standing(self._facts, despite)
        if now.mode is Mode.READ_WRITE and self._path is not None:
            return self._path
        raise self._refused(now)

    @property
    def is_decided(self) -> bool:
        """Whether the first election has an answer."""
        return self._decided.is_set()

    @property
    def leads(self) -> bool:
        """Whether a term of this sidecar runs, even where something else forbids writing."""
        return self._facts.term is Term.HELD

    @property
    def leader(self) -> str | None:
        """The sidecar that leads, as far as this one knows."""
        if self.leads:
            return self._sidecar
        now = self._leader_now()
        if now is not None:
            return now.name
        ended = self._facts.ended
        known = ended.error.facts.get("leader") if ended is not None else None
        return known if isinstance(known, str) else None

    async def decided(self) -> None:
        """Wait until the first election has an answer, whatever it is."""
        await self._decided.wait()

    async def writing(self) -> None:
        """Wait until this sidecar takes writes."""
        await self._writing.wait()

    def hold(self, reason: Reason, error: BpsError) -> None:
        """Forbid writing for `reason` from now on; `error` is what a writer is told."""
        self._set(replace(self._facts, holds=(*self._without(reason), Hold(reason, error))))

    def release(self, reason: Reason) -> None:
        """Take `hold` back; nothing where it does not hold.

        That the quorum is there is also news of a term that ended for want of one.
        """
        ended = self._facts.ended
        if reason is Reason.QUORUM_LOST and ended is not None and ended.reason is reason:
            ended = Hold(Reason.NOT_LEADER, ended.error)
        self._set(replace(self._facts, holds=self._without(reason), ended=ended))

    async def run(self) -> None:
        """Campaign and lead until cancelled; the lease is revoked at the end."""
        while True:
            leadership = Leadership(
                self._store, self._clock, self._sidecar, ttl_s=self._ttl_s, left=self._left
            )
            pause_s = _PAUSE_S
            try:
                await self._term(leadership)
            except BpsError as error:
                # Whatever the store says that we do not know means read-only.
                self._end(error)
                if isinstance(error, StoreRolledBack):
                    pause_s = _PAUSE_ROLLED_BACK_S
            finally:
                self._path = self._fence = None
                try:
                    await leadership.resign()
                except asyncio.CancelledError:
                    # The process ends meanwhile: nobody is to wait for what is left of the lease.
                    await leadership.resign()
                    raise
            await self._clock.sleep(pause_s)
            # Without a quorum a campaign only waits for its deadlines; with one it is at once.
            await self._quorum.wait()

    def gone(self, fence: Fence) -> None:
        """The store was read and lacks the key of `fence`: that term, if it still runs, is over."""
        if self._fence == fence:
            self.lost()

    def lost(self, why: BpsError | None = None) -> None:
        """The term is over at once, although the lease may not have ended; `why` is told."""
        self._lost = why or FencedOut("Another sidecar leads now.")
        if self._path is not None:
            self._end(self._lost)

    def drain(self) -> None:
        """Refuse every further write: the process ends."""
        self._path = None
        error = NotLeader("This sidecar is shutting down; write to another one.")
        self.hold(Reason.DRAINING, error)

    async def _term(self, leadership: Leadership) -> None:
        first = not self._decided.is_set()
        await leadership.campaign(
            min(_FIRST_CAMPAIGN_S, self._campaign_s) if first else self._campaign_s
        )
        self._lost = None
        self._fence = leadership.fence()
        self._set(replace(self._facts, term=Term.RECOVERING, ended=None))
        path = WritePath(
            self._store,
            leadership,
            self._clock,
            witness=self._witness,
            workshop=self._workshop,
        )
        await self._recover(path)
        if self._lost is not None:
            raise self._lost
        self._path = path
        self.terms += 1
        holds = self._without(Reason.STORE_ROLLED_BACK)
        self._set(replace(self._facts, term=Term.HELD, holds=holds))
        self._decided.set()
        while self._lost is None:
            leadership.fence()
            await self._clock.sleep(_WATCH_TERM_S)
        raise self._lost

    def _end(self, error: BpsError) -> None:
        self._path = self._fence = None
        ended = Hold(reason_of(error), error)
        holds = self._without(Reason.STORE_ROLLED_BACK)
        if ended.reason is Reason.STORE_ROLLED_BACK:
            # Also while the next term looks whether it is still so.
            holds = (*holds, ended)
        self._set(replace(self._facts, term=Term.NONE, ended=ended, holds=holds))
        self._decided.set()

    def _without(self, reason: Reason) -> tuple[Hold, ...]:
        return tuple(hold for hold in self._facts.holds if hold.reason is not reason)

    def _set(self, facts: Facts) -> None:
        """Take the facts in; an edge is logged, counted and told."""
        self._facts = facts
        if any(hold.reason is Reason.QUORUM_LOST for hold in facts.holds):
            self._quorum.clear()
        else:
            self._quorum.set()
        self._standing = standing(facts)
        if self._standing.mode is Mode.READ_WRITE:
            self._writing.set()
        else:
            self._writing.clear()
        self.edges.passed(self._standing, self._clock.now_ms(), self.terms)

    def _refused(self, now: Standing) -> BpsError:
        """Why nothing is written here; the leader as it is known by now."""
        if now.hold is None:
            return NotLeader("This sidecar is starting and does not lead yet.")
        error = now.hold.error
        facts: dict[str, Fact] = {**error.facts, "reason": now.hold.reason.value}
        leader = self._leader_now()
        if isinstance(error, NotLeader) and "leader" in facts and leader is not None:
            return self._elsewhere(leader, facts)
        told = isinstance(error, LeadershipError | IntegrityError | Unavailable | AvailabilityError)
        again = (type(error) if told else Unavailable)(error.message, **facts)
        return again.advising(error.next_action) if error.next_action is not None else again

    def _elsewhere(self, leader: Leader, facts: dict[str, Fact]) -> NotLeader:
        if leader.name == self._sidecar:
            return NotLeader("This sidecar is taking the leadership up.", **facts)
        facts["leader"] = leader.name
        if leader.url is None:
            return NotLeader(f"{leader.name} leads; write there.", **facts)
        return NotLeader(
            f"{leader.name} leads at {leader.url}; write there.", **facts, url=leader.url
        )
