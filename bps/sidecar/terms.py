"""Terms of leadership, one after the other: campaign, write, lose, campaign anew (R12).

A lost term is never resumed: its lease is revoked and a new election begins. Between terms, and
while something forbids writing, `write_path` says by name why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum

from bps.core.errors import (
    BpsError,
    FencedOut,
    IntegrityError,
    LeadershipError,
    NotLeader,
    StoreRolledBack,
    Unavailable,
)
from bps.core.ports import Clock, Store
from bps.core.txn import Compare
from bps.leadership.election import Leadership
from bps.sidecar.peers import Leader
from bps.writepath.transact import WritePath

_WATCH_TERM_S = 0.1
_PAUSE_S = 0.5
_PAUSE_ROLLED_BACK_S = 5.0
_FIRST_CAMPAIGN_S = 1.0
"""A standby is ready for reads as soon as it knows that another one leads."""

_log = logging.getLogger(__name__)


class Mode(StrEnum):
    """What the sidecar can do now (design, "Modes and leadership")."""

    STARTING = "STARTING"
    RECOVERING = "RECOVERING"
    READ_WRITE = "READ_WRITE"
    READ_ONLY = "READ_ONLY"


class Reason(StrEnum):
    """Why it is read-only."""

    NOT_LEADER = "not_leader"
    STORE_ROLLED_BACK = "store_rolled_back"
    STORE_UNREADABLE = "store_unreadable"
    STORE_UNAVAILABLE = "store_unavailable"
    DRAINING = "draining"


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
    ) -> None:
        self._store = store
        self._clock = clock
        self._sidecar = sidecar
        self._ttl_s = ttl_s
        self._campaign_s = campaign_s
        self._recover = recover
        self._witness = witness
        self._leader_now = leader_now
        self._path: WritePath | None = None
        self._refusal: BpsError = NotLeader("This sidecar is starting and does not lead yet.")
        self.mode = Mode.STARTING
        self.reason: Reason | None = None
        self.terms = 0
        self._lost: BpsError | None = None
        self._draining = False
        self._decided = asyncio.Event()

    def write_path(self) -> WritePath:
        """The write path of the present term.

        Raises:
            NotLeader: another sidecar leads, or none yet; the message names it and its address.
                facts: leader, and url where it is known.
            StoreRolledBack: the store lost what it had acknowledged; an operator has to decide.
            SchemaTooNew, ChainBroken, MalformedRecord: what a leader needs cannot be trusted.
            Unavailable: the store did not answer the election.
        """
        if self._path is None:
            raise self._refused()
        return self._path

    @property
    def is_decided(self) -> bool:
        """Whether the first election has an answer."""
        return self._decided.is_set()

    @property
    def leader(self) -> str | None:
        """The sidecar that leads, as far as this one knows."""
        if self.mode is Mode.READ_WRITE:
            return self._sidecar
        now = self._leader_now()
        if now is not None:
            return now.name
        known = self._refusal.facts.get("leader")
        return known if isinstance(known, str) else None

    async def decided(self) -> None:
        """Wait until the first election has an answer, whatever it is."""
        await self._decided.wait()

    async def run(self) -> None:
        """Campaign and lead until cancelled; the lease is revoked at the end."""
        while True:
            leadership = Leadership(self._store, self._clock, self._sidecar, ttl_s=self._ttl_s)
            pause_s = _PAUSE_S
            try:
                await self._term(leadership)
            except StoreRolledBack as error:
                self._refuse(Reason.STORE_ROLLED_BACK, error)
                pause_s = _PAUSE_ROLLED_BACK_S
            except LeadershipError as error:
                self._refuse(Reason.NOT_LEADER, error)
            except IntegrityError as error:
                self._refuse(Reason.STORE_UNREADABLE, error)
            except BpsError as error:
                # Whatever the store says that we do not know means read-only.
                self._refuse(Reason.STORE_UNAVAILABLE, error)
            finally:
                self._path = None
                await leadership.resign()
            await self._clock.sleep(pause_s)

    def lost(self, why: BpsError | None = None) -> None:
        """The term is over at once, although the lease may not have ended; `why` is told."""
        self._lost = why or FencedOut("Another sidecar leads now.")
        if self._path is not None:
            self._path = None
            self._refusal = self._lost

    def drain(self) -> None:
        """Refuse every further write: the process ends."""
        self._draining = True
        self._path = None
        self.mode, self.reason = Mode.READ_ONLY, Reason.DRAINING
        self._refusal = NotLeader("This sidecar is shutting down; write to another one.")

    async def _term(self, leadership: Leadership) -> None:
        first = not self._decided.is_set()
        await leadership.campaign(
            min(_FIRST_CAMPAIGN_S, self._campaign_s) if first else self._campaign_s
        )
        self._lost = None
        self.mode, self.reason = Mode.RECOVERING, None
        path = WritePath(self._store, leadership, self._clock, witness=self._witness)
        await self._recover(path)
        if self._draining:
            return
        self._path = path
        self.terms += 1
        self.mode = Mode.READ_WRITE
        self._decided.set()
        _log.info("term begun", extra={"sidecar": self._sidecar, "term": self.terms})
        while self._lost is None:
            leadership.fence()
            await self._clock.sleep(_WATCH_TERM_S)
        raise self._lost

    def _refused(self) -> BpsError:
        """Why nothing is written here; the leader as it is known by now."""
        before, now = self._refusal, self._leader_now()
        if now is None or "leader" not in before.facts:
            return before
        if now.name == self._sidecar:
            return NotLeader("This sidecar is taking the leadership up.", **before.facts)
        facts = {**before.facts, "leader": now.name}
        if now.url is None:
            return NotLeader(f"{now.name} leads; write there.", **facts)
        return NotLeader(f"{now.name} leads at {now.url}; write there.", **facts, url=now.url)

    def _refuse(self, reason: Reason, error: BpsError) -> None:
        if self._draining:
            return
        if (self.mode, self.reason) != (Mode.READ_ONLY, reason):
            # That another one leads is what a standby is for.
            level = logging.INFO if isinstance(error, NotLeader) else logging.WARNING
            _log.log(level, "read-only: %s", error.message, extra={"reason": reason.value})
        self.mode, self.reason = Mode.READ_ONLY, reason
        kind = type(error) if isinstance(error, LeadershipError | IntegrityError) else Unavailable
        self._refusal = kind(error.message, **{**error.facts, "reason": reason.value})
        if error.next_action is not None:
            self._refusal.advising(error.next_action)
        self._path = None
        self._decided.set()
