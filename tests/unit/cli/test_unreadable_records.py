"""One key or initiative that cannot be read does not hide the others in a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.ports import Key
from bps.core.txn import Put, Txn
from bps.store.memory import MemoryStore
from tests.asynchronous import run
from tests.unit.cli.both_ways import Way, directly, through_the_service
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
