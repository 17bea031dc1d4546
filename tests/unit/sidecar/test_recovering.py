"""What a sidecar says and does before its first write, and without a quorum."""

from __future__ import annotations

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import QuorumLost, StoreRolledBack
from bps.core.txn import Delete, Txn
from bps.leadership.modes import Mode, Reason
from bps.leadership.operator_mode import SetOperatorMode
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous, eventually
from tests.doubles.authority import HeldAuthority


@asynchronous
async def test_the_operators_brake_holds_from_the_first_moment_of_a_term() -> None:
    clock = SystemClock()
    store = MemoryStore(clock)
    path = WritePath(store, await HeldAuthority.take(store), clock)
    await path.execute(SetOperatorMode("operator", "op-1", "READ_ONLY", "members are replaced"))
    await store.commit(Txn((), (Delete(keys.LEADER_HOLDER),)))
    async with Sidecar(store, clock, SidecarSettings("one")) as sidecar:
        await sidecar.terms.decided()
        assert (sidecar.terms.mode, sidecar.terms.reason) == (Mode.READ_ONLY, Reason.OPERATOR)
        passed = [edge.mode for edge in reversed(sidecar.terms.edges.newest_first)]
        assert Mode.READ_WRITE not in passed


@asynchronous
async def test_without_a_quorum_it_stays_ready_for_reads() -> None:
    clock = SystemClock()
    async with Sidecar(MemoryStore(clock), clock, SidecarSettings("one")) as sidecar:
        await sidecar.ready()
        await _loses_the_watch(sidecar)
        assert not sidecar.readiness().ready
        sidecar.terms.hold(Reason.QUORUM_LOST, QuorumLost("etcd does not answer."))
        assert sidecar.readiness().ready
        assert sidecar.readiness().reason == "quorum_lost"


@asynchronous
async def test_a_store_that_was_rolled_back_is_told_also_while_it_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bps.sidecar.terms._PAUSE_ROLLED_BACK_S", 0.05)
    clock = SystemClock()
    async with Sidecar(MemoryStore(clock), clock, SidecarSettings("one")) as sidecar:
        await sidecar.ready()
        sidecar.terms.lost(StoreRolledBack("The store lost what it had."))
        assert sidecar.terms.reason is Reason.STORE_ROLLED_BACK

        async def writes_again() -> bool:
            return sidecar.terms.mode is Mode.READ_WRITE

        await eventually(writes_again, "a new term finds the store sound")
        passed = [(edge.mode, edge.reason) for edge in reversed(sidecar.terms.edges.newest_first)]
        rolled_back = passed.index((Mode.READ_ONLY, Reason.STORE_ROLLED_BACK))
        assert passed[rolled_back + 1 :] == [(Mode.READ_WRITE, None)]


async def _loses_the_watch(sidecar: Sidecar) -> None:
    for name in ("feed", "probe"):
        sidecar.tasks.named(name).cancel()

    async def cold() -> bool:
        return not sidecar.feed.warm

    await eventually(cold, "the watch is down")
