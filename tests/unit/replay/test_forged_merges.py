"""Forged logs that tell of a merge which was never allowed: `replay` names the event (ADR 0026)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
import pytest

from bps.core.errors import ReplayDiverged
from bps.plans.events import BlueprintPromoted
from bps.plans.model import Version
from tests.asynchronous import run
from tests.doubles import Scene
from tests.unit.replay.history import (
    KEYS,
    Records,
    forged,
    index_of,
    records_of,
    replayed,
    verified,
)

BASE = b"one: 1\n\ntwo: 2\n\nthree: 3\n"
Change = Callable[[dict[str, Any]], None]


@cache
def _merged() -> tuple[Records, dict[str, Any]]:
    """A plan with one merge of two, and an RR-plan that is still OPEN, as a contributor."""

    async def lived() -> tuple[Records, dict[str, Any]]:
        scene = await Scene.make(content=BASE)
        waiting = await scene.open("T0")
        await scene.succeed("T1", BASE.replace(b"one: 1", b"one: 10"))
        await scene.succeed("T2", BASE.replace(b"two: 2", b"two: 20"))
        await scene.promote()
        named = {"rr_plan": waiting.rr_plan, "branch": waiting.branch, "n": str(waiting.n)}
        return await records_of(scene), named

    return run(lived())


def of_merge(**changes: object) -> Change:
    return lambda body: body["merge"].update(changes)


def without_engine(body: dict[str, Any]) -> None:
    del body["merge"]["engine"]


def without_merge(body: dict[str, Any]) -> None:
    body["merge"] = None


def doubled(body: dict[str, Any]) -> None:
    """The second contributor is the first once more, as the merge's bases allow it."""
    body["contributors"][1] = body["contributors"][0]


def one_more(body: dict[str, Any]) -> None:
    body["contributors"].append(body["contributors"][0])
    body["merge"]["bases"].append(body["merge"]["bases"][0])


def not_succeeded(body: dict[str, Any]) -> None:
    open_one = {**body["contributors"][0], **_merged()[1]}
    body["contributors"][0] = open_one


def promoted(body: dict[str, Any]) -> None:
    body["contributors"][0]["state"] = "PROMOTED"


DECIDED = {"conflict": "0" * 16, "path": "/one", "take": "base", "text": None, "by": "nobody"}
FORGERIES: dict[str, Change] = {
    "a contributor that has not succeeded": not_succeeded,
    "a contributor twice": doubled,
    "a contributor once more": one_more,
    "a contributor with another submission": lambda body: body["contributors"][0].update(
        digest="0" * 64
    ),
    "a contributor that was not promoted": promoted,
    "another canonical": of_merge(canonical_digest="0" * 64),
    "other bases": of_merge(bases=["0" * 64, "0" * 64]),
    "too few bases": of_merge(bases=[]),
    "an empty engine": of_merge(engine=""),
    "no engine": without_engine,
    "no merge": without_merge,
    "no report of what came from where": of_merge(origins=None),
    "a review that is not open": of_merge(review="EP-1-RV1"),
    "a resolution that nobody decided": of_merge(resolutions=[DECIDED]),
    "another base version": lambda body: body.update(base_version="9"),
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_merge_that_was_never_allowed_is_named(change: Change) -> None:
    index = index_of(_merged()[0], BlueprintPromoted.TYPE)
    records = forged(dict(_merged()[0]), index, body=change)
    assert verified(records)
    with pytest.raises(ReplayDiverged) as caught:
        replayed(records)
    assert caught.value.facts["index"] == index


def test_a_merge_whose_blueprint_is_not_stored_is_found() -> None:
    index = index_of(_merged()[0], BlueprintPromoted.TYPE)
    records = forged(dict(_merged()[0]), index, body=lambda body: body.update(digest="0" * 64))
    for key in (KEYS.canonical, KEYS.version(2)):
        fields = orjson.loads(records[key])
        records[key] = orjson.dumps({**fields, "digest": "0" * 64}, option=orjson.OPT_SORT_KEYS)
    assert verified(records)
    with pytest.raises(ReplayDiverged, match="blobs/0000"):
        replayed(records)


def test_a_report_that_is_not_stored_is_found() -> None:
    records = dict(_merged()[0])
    named = Version.decode(records[KEYS.version(2)]).origins
    assert named is not None
    del records[KEYS.blob(named)]
    assert verified(records)
    with pytest.raises(ReplayDiverged, match=f"blobs/{named}"):
        replayed(records)


def test_a_version_that_names_another_report_than_its_event_is_found() -> None:
    records = dict(_merged()[0])
    for key in (KEYS.canonical, KEYS.version(2)):
        fields = orjson.loads(records[key])
        fields["origins"] = fields["digest"]
        records[key] = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    with pytest.raises(ReplayDiverged, match=f"{KEYS.version(2).decode()} differs"):
        replayed(records)
