"""No write lands in a store that lacks the witness; a repeated act says where it was committed."""

from __future__ import annotations

import pytest

from bps.core import keys
from bps.core.errors import StoreRolledBack
from bps.core.txn import Committed, Compare, Delete, Put, Txn, unchanged
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous
from tests.doubles.faulty_store import Fault
from tests.doubles.scene import Scene, registration

WITNESS = keys.checkpoint(7)


async def witnessed(scene: Scene) -> WritePath:
    done = await scene.memory.commit(Txn((), (Put(WITNESS, b"seen"),)))
    assert isinstance(done, Committed)
    seen: Compare = unchanged(WITNESS, done.revision)
    return WritePath(scene.store, scene.authority, scene.clock, witness=lambda: seen)


@asynchronous
async def test_with_the_witness_in_place_plans_are_written_cold_and_warm() -> None:
    scene = await Scene.make()
    path = await witnessed(scene)
    for _ in range(2):
        assert (await path.execute(registration("EP-21"))).how in {"committed", "repeated"}


@pytest.mark.parametrize("lost", [Delete(WITNESS), Put(WITNESS, b"seen")])
@asynchronous
async def test_without_the_witness_nothing_is_written(lost: Delete | Put) -> None:
    scene = await Scene.make()
    path = await witnessed(scene)
    await scene.memory.commit(Txn((), (lost,)))
    before = (await scene.memory.status())[0].revision
    with pytest.raises(StoreRolledBack, match="Nothing was written"):
        await path.execute(registration("EP-21"))
    assert (await scene.memory.status())[0].revision == before


@asynchronous
async def test_a_repeated_act_and_a_settled_one_name_the_revision_that_holds_them() -> None:
    scene = await Scene.make()
    done = await scene.path.execute(registration("EP-21"))
    again = await scene.path.execute(registration("EP-21"))
    assert (again.how, again.revision) == ("repeated", done.revision)
    scene.faulty.script.append(Fault.NONE)
    scene.faulty.script.append(Fault.LOSE_REPLY)
    settled = await scene.path.execute(registration("EP-22"))
    assert scene.faulty.met, "the reply was not lost"
    assert settled.how == "repeated"
    assert settled.revision == (await scene.memory.status())[0].revision
