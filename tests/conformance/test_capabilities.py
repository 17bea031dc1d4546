"""What an adapter declares it does, and what it does not declare it refuses by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bps.core.capabilities import require
from bps.core.errors import CapabilityMissing
from bps.core.ports import Capability, Key, Store
from bps.core.txn import Put, Txn
from tests.asynchronous import asynchronous
from tests.conformance.subjects import DECLARED, Subject, take


async def _watch(store: Store, subject: Subject) -> None:
    done = await store.commit(Txn((), (Put(subject.key("a"), b""),)))
    (batch,) = await take(store, subject.prefix, done.revision, 1)
    assert batch.revision == done.revision


async def _status(store: Store, subject: Subject) -> None:
    snapshot = await store.snapshot([Key(subject.key("a"))])
    members = await store.status()
    assert len({member.endpoint for member in members}) == len(members) >= 1
    assert all(member.leader_id for member in members)
    assert max(member.revision for member in members) >= snapshot.revision
    assert all(member.version and member.cluster_id for member in members)


async def _compact(store: Store, subject: Subject) -> None:
    await store.commit(Txn((), (Put(subject.key("a"), b"1"),)))
    done = await store.commit(Txn((), (Put(subject.key("a"), b"2"),)))
    await store.compact(done.revision)


_USES: dict[Capability, Callable[[Store, Subject], Awaitable[None]]] = {
    Capability.WATCH: _watch,
    Capability.STATUS: _status,
    Capability.COMPACT: _compact,
}


@pytest.mark.parametrize("capability", Capability)
@asynchronous
async def test_a_capability_is_declared_and_there_or_refused(
    subject: Subject, capability: Capability
) -> None:
    async with subject.open() as store:
        assert store.capabilities == DECLARED[subject.name]
        if capability in store.capabilities:
            require(store, capability)
            await _USES[capability](store, subject)
            return
        with pytest.raises(CapabilityMissing, match=capability.value):
            await _USES[capability](store, subject)
        with pytest.raises(CapabilityMissing) as refused:
            require(store, *store.capabilities, capability)
        assert refused.value.facts["capability"] == capability.value
