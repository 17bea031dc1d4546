"""A record that cannot be read does not hide the others in a list, and is told by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.keys import PlanKeys, after_prefix
from bps.core.ports import Key
from bps.core.txn import KV, Put, Txn
from bps.plans.pages import plans_page
from bps.store.memory import MemoryStore
from tests.asynchronous import run
from tests.unit.cli.both_ways import Way, directly, through_the_service
from tests.unit.cli.test_open_reviews import contradict
from tests.unit.http.harness import token_of
from tests.unit.keyring.people import key_of

Make = Callable[[pytest.MonkeyPatch, Path, MemoryStore], Way]
KEY = key_of(1).public
DAMAGED_KEY, NEWER_KEY = "0" * 16, "f" * 16


async def damage(store: MemoryStore, known: bytes, damaged: bytes, newer: bytes) -> None:
    """Two more records like `known`: one is none at all, one is of a later release."""
    stored = (await store.snapshot([Key(known)])).answers[0][0].value
    later = orjson.dumps({**orjson.loads(stored), "schema": 99})
    await store.commit(Txn((), (Put(damaged, b"\x00not a record"), Put(newer, later))))


async def below(store: MemoryStore, prefix: bytes) -> tuple[KV, ...]:
    return (await store.page(prefix, after_prefix(prefix), limit=10)).kvs


def operator(make: Make, monkeypatch: pytest.MonkeyPatch, place: Path, store: MemoryStore) -> Way:
    way = make(monkeypatch, place, store)
    if "BPS_TOKEN" in way.env:
        way.env["BPS_TOKEN"] = token_of("operator")
    return way


@pytest.mark.parametrize("make", [directly, through_the_service])
def test_keys_are_listed_by_id_and_the_unreadable_say_why(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    way = operator(make, monkeypatch, tmp_path, store)
    line = KEY.text.encode()
    way.data("keys", "add", "-", "--holder", "alice", "--purpose", "vote", stdin=line)
    run(damage(store, keys.key(KEY.key_id), keys.key(DAMAGED_KEY), keys.key(NEWER_KEY)))
    rows = {row["key_id"]: row for row in way.data("keys", "list")}
    assert [*rows] == [DAMAGED_KEY, KEY.key_id, NEWER_KEY]
    assert (rows[KEY.key_id]["state"], rows[KEY.key_id]["holder"]) == ("valid", "alice")
    for name in (DAMAGED_KEY, NEWER_KEY):
        assert (rows[name]["state"], rows[name]["holder"]) == ("unreadable", None)
    assert rows[DAMAGED_KEY]["comment"]
    assert "release" in rows[NEWER_KEY]["comment"]
    table = way.bps("keys", "list")
    assert (table.code, table.out.count("unreadable")) == (0, 2)


@pytest.mark.parametrize("make", [directly, through_the_service])
def test_initiatives_are_listed_by_id_and_the_unreadable_say_why(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    way = operator(make, monkeypatch, tmp_path, store)
    way.data("initiative", "create", "checkout")
    known, damaged, newer = map(keys.initiative, ("checkout", "a", "z"))
    run(damage(store, known, damaged, newer))
    rows = {row["initiative"]: row for row in way.data("initiative", "list")}
    assert [(name, row["state"]) for name, row in rows.items()] == [
        ("a", "unreadable"),
        ("checkout", "valid"),
        ("default", "valid"),
        ("z", "unreadable"),
    ]
    assert rows["a"]["why"]
    assert "release" in rows["z"]["why"]
    assert rows["checkout"]["why"] is None
    table = way.bps("initiative", "list")
    assert (table.code, table.out.count("unreadable")) == (0, 2)


@pytest.mark.parametrize("make", [directly, through_the_service])
def test_plans_are_listed_and_the_unreadable_are_named_with_exit_3(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    way = make(monkeypatch, tmp_path, store)
    way.data("plan", "register", "EP-2", "-", stdin=b"v: 1\n")
    known, damaged, newer = (PlanKeys(plan).record for plan in ("EP-2", "EP-1", "EP-3"))
    run(damage(store, known, damaged, newer))
    ran = way.bps("plan", "list", "-o", "json")
    assert (ran.code, [each["plan"] for each in orjson.loads(ran.out)]) == (3, ["EP-2"])
    assert "2 plans cannot be read, and all others are listed. EP-1: " in ran.err
    assert "EP-3: " in ran.err
    assert "MALFORMED_RECORD" in ran.err
    assert "bps verify EP-1" in ran.err


@pytest.mark.parametrize("make", [directly, through_the_service])
def test_open_reviews_are_listed_and_the_unreadable_are_named_with_exit_3(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    way = make(monkeypatch, tmp_path, store)
    for plan in ("EP-1", "EP-2"):
        contradict(way, plan)
    broken = Put(PlanKeys("EP-1").newest_review, b"\x00not a record")
    run(store.commit(Txn((), (broken,))))
    ran = way.bps("review", "list", "-o", "json")
    assert (ran.code, [each["review"] for each in orjson.loads(ran.out)]) == (3, ["EP-2-RV1"])
    assert (
        "cannot be read, and all others are listed. EP-1: A stored review is not JSON." in ran.err
    )
    assert way.bps("branch", "list", "EP-1").code == 3


@pytest.mark.parametrize("make", [directly, through_the_service])
def test_one_damaged_plan_keeps_no_other_one_from_being_synchronised_or_proven(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    way = make(monkeypatch, tmp_path, store)
    plans = [f"EP-{n}" for n in range(1, 6)]
    for plan in plans:
        way.data("plan", "register", plan, "-", stdin=b"v: 1\n")
    blobs = [kv.key for kv in run(below(store, PlanKeys("EP-4").blobs))]
    broken = (PlanKeys("EP-1").record, PlanKeys("EP-3").canonical, *blobs)
    run(store.commit(Txn((), tuple(Put(key, b"\x00not a record") for key in broken))))
    for plan in plans:
        shutil.rmtree(tmp_path / plan)
    ran = way.bps("sync", "-o", "json")
    assert (ran.code, [each["plan"] for each in orjson.loads(ran.out)]) == (3, ["EP-2", "EP-5"])
    for plan in plans:
        file = tmp_path / plan / "canonical_blueprint.yaml"
        assert file.is_file() == (plan in {"EP-2", "EP-5"})
    for plan in ("EP-1", "EP-3", "EP-4"):
        assert f"{plan}: " in ran.err
    assert "brought up to date" in ran.err
    for proof in ("verify", "replay"):
        ran = way.bps(proof, "-o", "json")
        proven = {each["plan"] for each in orjson.loads(ran.out)}
        assert (ran.code, {"EP-2", "EP-5"} <= proven) == (3, True)


def test_a_page_of_plans_that_ends_with_an_unreadable_one_leads_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    way = directly(monkeypatch, tmp_path, store)
    for plan in ("EP-1", "EP-3"):
        way.data("plan", "register", plan, "-", stdin=b"v: 1\n")
    run(store.commit(Txn((), (Put(PlanKeys("EP-2").record, b"{}"),))))
    first = run(plans_page(store, after=None, limit=2))
    assert ([each.plan for each in first.items], first.last, first.more) == (["EP-1"], "EP-2", True)
    assert [*first.unreadable] == ["EP-2"]
    rest = run(plans_page(store, after=first.last, limit=2))
    assert ([each.plan for each in rest.items], rest.more) == (["EP-3"], False)
