"""`verify_merges` makes each promotion again, says what it cannot, and names one that is false."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
import pytest

from bps.core.errors import ReplayDiverged
from bps.core.keys import POLICY_CURRENT, PlanKeys
from bps.core.txn import Delete, Txn
from bps.plans.blob import pack, unpack
from bps.plans.events import BlueprintPromoted, Envelope
from bps.replay.merges import verify_merges
from bps.replay.verify import MergesVerified, verify
from tests.asynchronous import asynchronous, run
from tests.doubles import PLAN, Scene
from tests.unit.replay.history import KEYS, Records, forged, loaded, records_of, under

BASE = b"one: 1\n\ntwo: 2\n\nthree: 3\n"
ONE, TWO = BASE.replace(b": 1", b": 10"), BASE.replace(b": 2", b": 20")


async def lived() -> Scene:
    """Law 1, a merge, a late branch, a decided review, a revert: five promotions."""
    scene = await Scene.make(content=BASE)
    late = await scene.succeed("T0", BASE.replace(b": 3", b": 30"))
    await scene.promote(await scene.succeed("L1", BASE.replace(b"two: 2\n", b"two: 2\nmore: 1\n")))
    await scene.revert(1)
    one, two = await scene.succeed("T1", ONE), await scene.succeed("T2", TWO)
    await scene.promote(one, two)
    await scene.promote(late)
    fighting = [
        await scene.succeed(f"C{value}", BASE.replace(b": 1", b": %d" % value)) for value in (7, 8)
    ]
    await scene.refused(*fighting)
    await scene.resolve("/one", text="9")
    await scene.complete()
    return scene


@cache
def _records() -> Records:
    async def made() -> Records:
        scene = await lived()
        policy = {kv.key: kv.value for kv in await scene.below(POLICY_CURRENT)}
        return {**await records_of(scene), **policy}

    return run(made())


def promotions(records: Records) -> list[int]:
    """The numbers of the events that published a version by a promotion."""
    found = []
    for key in under(records, KEYS.events):
        event = Envelope.decode(records[key])
        if event.type == BlueprintPromoted.TYPE:
            body = BlueprintPromoted.decode(records[KEYS.body(event.seq)])
            found += [event.seq] if body.how == "promotion" else []
    return found


def checked(records: Records) -> MergesVerified:
    async def act() -> MergesVerified:
        store = await loaded(records)
        await verify(store, PLAN)
        return await verify_merges(store, PLAN)

    return run(act())


def test_every_promotion_is_made_again() -> None:
    found = checked(dict(_records()))
    assert found.made_again == len(promotions(_records())) == 4
    assert (found.without_blueprints, found.without_policy, found.by_another_engine) == (0, 0, 0)


@pytest.mark.parametrize("which", range(4))
def test_a_promotion_that_published_something_else_is_named(which: int) -> None:
    records = dict(_records())
    index = promotions(records)[which]
    other = pack(BASE + b"sneaked: in\n")
    records[KEYS.blob(other.digest)] = other.frame

    def change(body: dict[str, Any]) -> None:
        body["digest"] = other.digest

    with pytest.raises(ReplayDiverged) as caught:
        checked(forged(records, index, body=change))
    assert caught.value.facts["index"] == index


def test_a_resolution_that_was_another_is_named() -> None:
    records = dict(_records())
    index = promotions(records)[-1]

    def change(body: dict[str, Any]) -> None:
        body["merge"]["resolutions"][0]["text"] = "11"

    with pytest.raises(ReplayDiverged) as caught:
        checked(forged(records, index, body=change))
    assert caught.value.facts["index"] == index


@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_report_that_says_something_else_is_named(which: int) -> None:
    records = dict(_records())
    index = promotions(records)[which]
    merge = BlueprintPromoted.decode(records[KEYS.body(index)]).merge
    assert merge is not None
    assert merge.origins is not None
    fields = orjson.loads(unpack(records[KEYS.blob(merge.origins)], merge.origins))
    fields["changes"] = fields["changes"][1:]
    other = pack(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS))
    records[KEYS.blob(other.digest)] = other.frame
    records = forged(records, index, body=lambda body: body["merge"].update(origins=other.digest))
    with pytest.raises(ReplayDiverged, match="another report") as caught:
        checked(records)
    assert caught.value.facts["index"] == index


def test_a_merge_that_names_no_report_is_named() -> None:
    records = dict(_records())
    index = promotions(records)[1]
    with pytest.raises(ReplayDiverged, match="another report"):
        checked(forged(records, index, body=lambda body: body["merge"].update(origins=None)))


def test_a_merge_without_its_record_is_named() -> None:
    records = dict(_records())
    index = promotions(records)[1]
    with pytest.raises(ReplayDiverged, match="names none"):
        checked(forged(records, index, body=lambda body: body.update(merge=None)))


@asynchronous
async def test_what_cannot_be_made_again_is_told() -> None:
    scene = await lived()
    gone = Delete(PlanKeys(PLAN).blob(pack(TWO).digest))
    await scene.memory.commit(Txn((), (gone,)))
    found = await verify_merges(scene.memory, PLAN)
    assert (found.made_again, found.without_blueprints) == (3, 1)
    await scene.set_policy(max_branches=7)
    found = await verify_merges(scene.memory, PLAN)
    assert (found.made_again, found.without_policy) == (1, 3)


def test_another_engine_is_told() -> None:
    records = dict(_records())
    index = promotions(records)[1]
    records = forged(records, index, body=lambda body: body["merge"].update(engine="0"))
    assert checked(records).by_another_engine == 1


def test_json_shows_all_counts() -> None:
    found = orjson.loads(orjson.dumps(checked(dict(_records())).model_dump(mode="json")))
    assert set(found) == {
        "made_again",
        "without_blueprints",
        "without_policy",
        "by_another_engine",
    }
