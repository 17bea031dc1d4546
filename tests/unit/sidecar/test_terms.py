"""What a term proves before it writes, and that none begins without a quorum."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import BpsError, NotLeader, QuorumLost, StoreRolledBack, Unavailable
from bps.core.ports import Key, Lease, Read, Snapshot
from bps.core.txn import Committed, Conflict, Delete, Put, Txn
from bps.leadership.modes import Mode, Reason
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous, eventually
from tests.doubles.forwarding_store import ForwardingStore
from tests.doubles.scene import registration
from tests.unit.keyring.people import key_of


class Told(ForwardingStore):
    """Notes what is done to it, with the sidecar's mode at that moment."""

    sidecar: Sidecar | None = None

    def __init__(self, inner: MemoryStore) -> None:
        super().__init__(inner)
        self.done: list[tuple[str, Mode]] = []
        self.failed_probes = self.failed_revocations = 0
        self.failing: BpsError | None = None

    def _note(self, what: str) -> None:
        assert self.sidecar is not None
        self.done.append((what, self.sidecar.terms.mode))

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        if self.failing is not None:
            # No campaign reads this key before it has a lease.
            self.failed_probes += any(read == Key(keys.LEADER_HOLDER) for read in reads)
            raise type(self.failing)(self.failing.message)
        found = [read.key for read in reads if isinstance(read, Key)]
        if any(key.startswith(keys.CHECKPOINTS) for key in found):
            self._note("checkpoint is read")
        return await super().snapshot(reads, serializable=serializable, at_least=at_least)

    async def commit(self, txn: Txn) -> Committed | Conflict:
        puts = [each.key for each in txn.operations if isinstance(each, Put)]
        if any(key.startswith(keys.ROOT + b"ops/") for key in puts):
            self._note("a command is written")
        elif keys.LEADER_HOLDER in puts:
            self._note("the election is won")
        return await super().commit(txn)

    async def lease_grant(self, ttl_s: int) -> Lease:
        if self.failing is not None:
            raise type(self.failing)(self.failing.message)
        return await super().lease_grant(ttl_s)

    async def lease_revoke(self, lease_id: int) -> None:
        if self.failing is not None:
            # With this a campaign begins that has a lease left.
            self.failed_revocations += 1
            raise type(self.failing)(self.failing.message)
        await super().lease_revoke(lease_id)

    async def lease_keepalive(self, lease_id: int) -> int:
        if self.failing is not None:
            raise type(self.failing)(self.failing.message)
        return await super().lease_keepalive(lease_id)


async def checkpointed(store: MemoryStore, mirror: Path) -> int:
    """A store with a checkpoint that is mirrored in `mirror`; its number."""
    settings = SidecarSettings("test", signer=key_of(1), mirror_dir=mirror)
    async with Sidecar(store, SystemClock(), settings) as running:
        await running.terms.decided()
        await running.execute(registration("EP-1"))

        async def mirrored() -> bool:
            return running.mirror.witness() is not None

        await eventually(mirrored, "a checkpoint is mirrored")
        last = running.mirror.mirror.last
        assert last is not None
        return last.seq


@asynchronous
async def test_a_new_leader_reads_the_checkpoint_before_it_writes_and_recovers_meanwhile(
    tmp_path: Path,
) -> None:
    memory = MemoryStore(SystemClock())
    await checkpointed(memory, tmp_path)
    store = Told(memory)
    settings = SidecarSettings("test", signer=key_of(1), mirror_dir=tmp_path)
    store.sidecar = Sidecar(store, SystemClock(), settings)
    async with store.sidecar as running:
        await running.terms.decided()
        await running.execute(registration("EP-2"))
        done = store.done[: [what for what, _ in store.done].index("a command is written") + 1]
        won = done.index(("the election is won", Mode.STARTING))
        assert ("checkpoint is read", Mode.RECOVERING) in done[won:]
        assert done[-1] == ("a command is written", Mode.READ_WRITE)
        modes = [edge.mode for edge in running.terms.edges.newest_first]
        assert modes == [Mode.READ_WRITE, Mode.RECOVERING, Mode.STARTING]


@asynchronous
async def test_a_store_that_lacks_the_checkpoint_is_never_written_to(tmp_path: Path) -> None:
    memory = MemoryStore(SystemClock())
    seq = await checkpointed(memory, tmp_path)
    await memory.commit(Txn((), (Delete(keys.checkpoint(seq)),)))
    store = Told(memory)
    settings = SidecarSettings("test", signer=key_of(1), mirror_dir=tmp_path)
    store.sidecar = Sidecar(store, SystemClock(), settings)
    async with store.sidecar as running:
        await running.terms.decided()
        assert running.terms.reason is Reason.STORE_ROLLED_BACK
        with pytest.raises(StoreRolledBack):
            await running.execute(registration("EP-2"))
        assert "a command is written" not in [what for what, _ in store.done]


class SlowToRevoke(ForwardingStore):
    """The first revocation is never answered, and does nothing."""

    def __init__(self, inner: MemoryStore) -> None:
        super().__init__(inner)
        self.asked = asyncio.Event()

    async def lease_revoke(self, lease_id: int) -> None:
        if not self.asked.is_set():
            self.asked.set()
            await asyncio.Event().wait()
        await super().lease_revoke(lease_id)


@asynchronous
async def test_a_process_that_ends_while_it_gives_a_term_up_leaves_no_leader_behind() -> None:
    store = SlowToRevoke(MemoryStore(SystemClock()))
    async with Sidecar(store, SystemClock(), SidecarSettings("test")) as running:
        await running.ready()
        running.terms.lost()
        await store.asked.wait()
    assert (await store.snapshot([Key(keys.LEADER_HOLDER)])).answers == ((),)


@asynchronous
async def test_while_it_recovers_nobody_else_writes_and_it_says_so() -> None:
    release = asyncio.Event()

    class Slow(Sidecar):
        async def _recover(self, path: WritePath) -> None:
            assert path is not None
            await release.wait()

    async with Slow(MemoryStore(SystemClock()), SystemClock(), SidecarSettings("test")) as running:

        async def recovering() -> bool:
            return running.readiness().mode == "RECOVERING"

        await eventually(recovering, "it recovers")
        assert not running.readiness().ready
        with pytest.raises(NotLeader):
            running.terms.write_path(set(Reason))
        # A term that is lost while it recovers never writes.
        running.terms.lost()
        release.set()

        async def over() -> bool:
            return running.terms.reason is Reason.NOT_LEADER or running.terms.terms == 1

        await eventually(over, "that term is over")
        first_modes = [edge.mode for edge in reversed(running.terms.edges.newest_first)][:3]
        assert first_modes == [Mode.STARTING, Mode.RECOVERING, Mode.READ_ONLY]


@asynchronous
async def test_no_campaign_is_tried_without_a_quorum_and_one_at_once_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for interval in ("bps.sidecar.terms._PAUSE_S", "bps.leadership.probe.PERIOD_S"):
        monkeypatch.setattr(interval, 0.1)
    memory = MemoryStore(SystemClock())
    store = Told(memory)
    store.sidecar = Sidecar(store, SystemClock(), SidecarSettings("test", lease_ttl_s=1))
    async with store.sidecar as running:
        await running.ready()
        store.failing = QuorumLost("etcd has no leader.")

        async def ended() -> bool:
            held = {hold.reason for hold in running.terms._facts.holds}
            return running.terms.fence is None and Reason.QUORUM_LOST in held

        async def resigned() -> bool:
            return store.failed_revocations > 0

        await eventually(ended, "the term has ended without a quorum")
        await eventually(resigned, "its lease cannot be revoked")
        campaigns, failed_probes = store.failed_revocations, store.failed_probes

        async def probed() -> bool:
            return store.failed_probes >= failed_probes + 4

        # Longer than the pause between two campaigns.
        await eventually(probed, "the quorum was asked for in vain")
        assert store.failed_revocations == campaigns
        store.failing = None
        begun_s = asyncio.get_running_loop().time()

        async def leads() -> bool:
            return running.terms.mode is Mode.READ_WRITE

        await eventually(leads, "it leads again")
        assert asyncio.get_running_loop().time() - begun_s < 2
        assert running.terms.terms == 2


@asynchronous
async def test_what_ended_a_term_is_no_lost_quorum_once_a_probe_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Only one term is begun: the next one would look like the end of it.
    monkeypatch.setattr("bps.sidecar.terms._PAUSE_S", 60.0)

    class NoDisk(Sidecar):
        async def _recover(self, path: WritePath) -> None:
            assert path is not None
            raise Unavailable("The mirror cannot be written: No space left on device.")

    async with NoDisk(
        MemoryStore(SystemClock()), SystemClock(), SidecarSettings("test")
    ) as running:
        await running.terms.decided()

        async def known() -> bool:
            return not running.degraded.quorum_lost

        await eventually(known, "reads are linearizable", deadline_s=5.0)
        with pytest.raises(Unavailable, match="No space left") as refused:
            running.terms.write_path()
        assert refused.value.facts["reason"] == Reason.NOT_LEADER.value
