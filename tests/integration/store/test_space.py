"""A full store says NOSPACE, and still does what helps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bps.core.errors import NoSpace
from bps.core.ports import Key, Prefix
from bps.core.txn import Committed, Delete, Exists, Put, Txn
from bps.store.etcd import EtcdStore
from bps.store.etcd_program import find_etcd
from tests.asynchronous import asynchronous
from tests.cluster.processes import newest_etcd
from tests.conformance.etcd_process import etcd_process
from tests.integration.store.full_store import fill
from tests.integration.store.gateway import Gateway


@pytest.fixture(params=[find_etcd, newest_etcd], ids=["embedded", "newest"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    flags = [f"--quota-backend-bytes={4 * 1024 * 1024}"]
    with etcd_process(tmp_path, flags, program=request.param()) as endpoint:
        yield endpoint


@asynchronous
async def test_a_full_store(endpoint: str) -> None:
    async with EtcdStore([endpoint]) as store:
        lease = await store.lease_grant(60)
        stored = await fill(store)
        (status,) = await store.status()
        assert status.alarms == ("NOSPACE",)
        with pytest.raises(NoSpace):
            await store.commit(Txn((), (Put(b"/small", b""),)))
        with pytest.raises(NoSpace):
            await store.commit(Txn((), (Put(b"/small", b""), Delete(b"/full/00"))))
        with pytest.raises(NoSpace):
            await store.lease_grant(60)
        assert await store.lease_keepalive(lease.lease_id) == 60
        snapshot = await store.snapshot([Prefix(b"/full/"), Key(b"/full/00"), Key(b"none")])
        # The write that passes the quota is applied, and refused all the same.
        assert len(snapshot.answers[0]) in {stored, stored + 1}
        assert [len(answer) for answer in snapshot.answers[1:]] == [1, 0]
        assert snapshot.revision == snapshot.answers[0][-1].mod_revision
        deleting = Txn((Exists(b"/full/00"),), (Delete(b"/full/00"),))
        if any("only delete" in defect for defect in status.defects):
            with pytest.raises(NoSpace):
                await store.commit(deleting)
        else:
            assert isinstance(await store.commit(deleting), Committed)
            assert (await store.snapshot([Key(b"/full/00")])).answers == ((),)
        await store.compact((await store.snapshot([Key(b"x")])).revision)
        Gateway(endpoint).call("maintenance/defragment")
        Gateway(endpoint).disarm()
        (status,) = await store.status()
        assert status.alarms == ()
