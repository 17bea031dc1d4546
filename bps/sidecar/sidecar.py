"""The sidecar: one store, one watch, terms of leadership, and what the edges ask of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bps.core import ids
from bps.core.codec import Record
from bps.core.errors import FencedOut, Overloaded, StoreError, StoreRolledBack
from bps.core.ports import Clock, Store
from bps.keyring.statement import Signer
from bps.leadership.clock_check import ClockBounds
from bps.leadership.modes import Reason
from bps.setup.initialise import Initialise
from bps.sidecar.canonical import CanonicalVersions
from bps.sidecar.checkpoint_keeper import CheckpointKeeper
from bps.sidecar.clock_watch import ClockWatch
from bps.sidecar.credentials import Credentials
from bps.sidecar.degraded import DegradedReads
from bps.sidecar.degraded_blueprints import RecentBlueprints
from bps.sidecar.events import Events
from bps.sidecar.feed import Feed
from bps.sidecar.first_token import FirstToken
from bps.sidecar.gauges import SidecarGauges
from bps.sidecar.key_registration import KeyRegistration
from bps.sidecar.metrics import CommandOutcome, Measured, Metrics
from bps.sidecar.mirror_keeper import MirrorKeeper
from bps.sidecar.operator_brake import OperatorBrake
from bps.sidecar.peers import Peers
from bps.sidecar.pending import PendingPromotions
from bps.sidecar.presence import Presence
from bps.sidecar.probe import QuorumProbe
from bps.sidecar.readiness import Readiness, readiness_of
from bps.sidecar.space import SpaceWatch
from bps.sidecar.tasks import Tasks
from bps.sidecar.terms import Terms
from bps.sidecar.write_queue import WriteQueue
from bps.space.verdict import DEFAULT_QUOTA_BYTES
from bps.workshop.workshop import ProcessWorkshop
from bps.writepath.admission import Bounds
from bps.writepath.command import Command, Outcome
from bps.writepath.transact import WritePath

R = TypeVar("R", bound=Record)

_POLL_S = 0.02
_RESIGN_S = 1.0


@dataclass(frozen=True, slots=True)
class SidecarSettings:
    """Who this sidecar is. `name` signs the leader key; times are in seconds.

    Without a `signer` it writes no checkpoints; without a `mirror_dir` it forgets, when it ends,
    those that it has seen. `first_token_file` is where a leader puts the first operator's token.
    """

    name: str
    lease_ttl_s: int = 5
    campaign_s: float = 10.0
    signer: Signer | None = None
    mirror_dir: Path | None = None
    first_token_file: Path | None = None
    clock_bounds: ClockBounds = field(default_factory=ClockBounds)
    write_bounds: Bounds = field(default_factory=Bounds)
    quota_bytes: int = DEFAULT_QUOTA_BYTES


class Sidecar:
    """Use as an asynchronous context manager; leaving it resigns the leadership."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: SidecarSettings,
        metrics: Metrics | None = None,
        *,
        elapsed_s: Callable[[], float] | None = None,
        reads: Store | None = None,
    ) -> None:
        """`elapsed_s`: as in `ClockWatch`. `reads` is the same store as requests read it."""
        self.metrics = metrics or Metrics()
        self.store = store
        self.reads = reads or store
        self.clock = clock
        self.settings = settings
        self.feed = Feed(store, clock)
        self.degraded = DegradedReads(self.reads, self.feed, clock, quorum_lost=self._quorum_lost)
        self.blueprints = RecentBlueprints(self.feed)
        self.canonical = CanonicalVersions(self.reads, self.feed)
        self.events = Events(self.reads, self.feed)
        self.credentials = Credentials(self.reads, self.feed, clock, self.degraded)
        self.peers = Peers(store, self.feed, clock)
        self.presence = Presence(
            store,
            self.feed,
            clock,
            settings.name,
            settings.signer.public if settings.signer else None,
        )
        self.workshop = ProcessWorkshop()
        self.showroom = ProcessWorkshop.for_readers()
        self.first_token = FirstToken(store, clock, settings.first_token_file)
        self.mirror = MirrorKeeper(
            store, self.feed, clock, settings.mirror_dir, on_rollback=self._rolled_back
        )
        self.terms = Terms(
            store,
            clock,
            settings.name,
            ttl_s=settings.lease_ttl_s,
            campaign_s=settings.campaign_s,
            recover=self._recover,
            witness=self.mirror.witness,
            leader_now=lambda: self.peers.leader,
            workshop=self.workshop,
        )
        self.clocks = ClockWatch(
            store,
            self.feed,
            clock,
            name=settings.name,
            presence=self.presence,
            peers=self.peers,
            terms=self.terms,
            bounds=settings.clock_bounds,
            elapsed_s=elapsed_s,
        )
        self.probe = QuorumProbe(store, clock, self.terms)
        self.space = SpaceWatch(store, clock, self.terms, settings.quota_bytes)
        self.brake = OperatorBrake(store, self.feed, clock, self.terms)
        self.checkpoints = CheckpointKeeper(
            store,
            self.feed,
            clock,
            signer=settings.signer,
            principal=ids.SERVICE_PRINCIPAL,
            execute=self.execute,
            registration=KeyRegistration(
                store,
                clock,
                name=settings.name,
                principal=ids.SERVICE_PRINCIPAL,
                execute=self.execute,
                peers=lambda: self.peers.sidecars,
            ),
            writing=self.terms.writing,
        )
        self.peers.on_change = self.checkpoints.look_again
        self.pending = PendingPromotions(store, self.feed, clock)
        self.writes = WriteQueue(clock, settings.write_bounds)
        self.gauges = SidecarGauges(self)
        self.metrics.registry.register(self.gauges)
        self.draining = asyncio.Event()
        self.tasks = Tasks()

    async def execute(
        self,
        command: Command[R],
        *,
        despite: Collection[Reason] = (),
        deadline_s: float | None = None,
    ) -> Outcome[R]:
        """Run one command on the write path of the present term, when its turn comes.

        `despite` names reasons of READ_ONLY that do not hold this command up. `deadline_s` is an
        instant of the monotonic clock; None: 10 s from now.

        Raises:
            Overloaded: too many writes wait for it to make its deadline; it was not begun.
            OperationInFlight: the same operation is being carried out now.
            NotLeader, StoreRolledBack, Unavailable: this sidecar takes no writes now.
            Whatever `WritePath.execute` raises.
        """
        with self.metrics.command(command) as measured:
            outcome = await self._execute(command, despite, deadline_s, measured)
            measured.outcome = CommandOutcome(outcome.how)
        return outcome

    def refuse_write_early(self, principal: str, deadline_s: float) -> None:
        """As `WriteQueue.refuse_if_full`; raises QuorumLost where that is why the line is full."""
        try:
            self.writes.refuse_if_full(principal, deadline_s)
        except Overloaded:
            if self._quorum_lost():  # writes that hang fill the line
                self.terms.write_path()
            raise

    async def _execute(
        self, command: Command[R], despite: Collection[Reason], until_s: float | None, by: Measured
    ) -> Outcome[R]:
        # What is refused here does not wait first.
        self.terms.write_path(despite)
        fence = None
        try:
            async with self.writes.turn(command.operation, until_s):
                path, fence = self.terms.write_path(despite), self.terms.fence
                outcome = await path.execute(command, deadline_s=until_s, told=by.told)
        except FencedOut:
            if fence is not None:
                # Another term may have begun while it waited.
                self.terms.gone(fence)
            raise
        except StoreRolledBack as error:
            self._rolled_back(error)
            raise
        except StoreError as error:
            self.probe.met(error)
            self.space.met(error)
            raise
        if command.plan is not None and outcome.revision:
            self.canonical.published(command.plan, outcome.revision)
        self.degraded.served(outcome.revision)
        return outcome

    def readiness(self) -> Readiness:
        """Ready once the first election has an answer and the watch stands, until it drains."""
        return readiness_of(
            self.terms, self.feed, self.presence, self.peers, draining=self.draining.is_set()
        )

    async def ready(self) -> None:
        """Wait until `readiness` says so."""
        await self.terms.decided()
        await self.presence.tried()
        while not self.readiness().ready:
            await self.clock.sleep(_POLL_S)

    async def failure(self) -> tuple[str, BaseException | None]:
        """Wait until one of the sidecar's own tasks ends, which none ever should; its name."""
        return await self.tasks.failure()

    def drain(self) -> None:
        """The process ends: not ready any more, streams end, and requests under way still write."""
        self.draining.set()
        self.presence.leave()

    @property
    def writes_in_flight(self) -> int:
        """How many commands are under way."""
        return self.writes.under_way

    async def __aenter__(self) -> Self:
        """Raises ConfigError where the mirror's directory cannot be used."""
        self.mirror.open()
        self.tasks.start(
            feed=self.feed.run(),
            credentials=self.credentials.run(),
            peers=self.peers.run(),
            presence=self.presence.run(),
            clocks=self.clocks.run(),
            probe=self.probe.run(),
            brake=self.brake.run(),
            space=self.space.run(),
            terms=self.terms.run(),
            pending=self.pending.run(),
            mirror=self.mirror.run(),
            checkpoints=self.checkpoints.run(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.terms.drain()
        # Where the store does not take the resignation in time, the lease runs out by itself.
        await self.tasks.cancel(_RESIGN_S)
        await self.workshop.close()
        await self.showroom.close()
        self.tasks.tell()
        if self.tasks.named("mirror").done():
            self.mirror.close()

    def _quorum_lost(self) -> bool:
        return any(hold.reason is Reason.QUORUM_LOST for hold in self.terms.holds)

    def _rolled_back(self, error: StoreRolledBack) -> None:
        """The store lost what it had: the term ends, and what was learned from it is forgotten."""
        self.terms.lost(error)
        self.feed.restart()

    async def _recover(self, path: WritePath) -> None:
        """Prove that writing is safe; one linearizable read at least (design, "Modes")."""
        await self.mirror.check()
        await self.clocks.check()
        await self.brake.check()
        await path.execute(Initialise(ids.SERVICE_PRINCIPAL, f"initialise-{self.clock.now_ms()}"))
        await self.first_token.ensure(path)
