"""One credential that cannot be read, damaged or of a newer release, does not hide the others."""

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

NEWER, DAMAGED = "0" * 16, "f" * 16


async def damage(store: MemoryStore, credential: str) -> None:
    """Two more records: one that a later release might have written, one that is none at all."""
    stored = (await store.snapshot([Key(keys.token(credential))])).answers[0][0].value
    later = orjson.dumps({**orjson.loads(stored), "id": NEWER, "schema": 99})
    await store.commit(
        Txn((), (Put(keys.token(NEWER), later), Put(keys.token(DAMAGED), b"\x00not a record")))
    )


@pytest.mark.parametrize("make", [directly, through_the_service])
def test_the_list_shows_them_by_id_and_why_and_pruning_goes_on(
    make: Callable[[pytest.MonkeyPatch, Path, MemoryStore], Way],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    store = MemoryStore(SystemClock())
    way = make(monkeypatch, tmp_path, store)
    if "BPS_TOKEN" in way.env:
        way.env["BPS_TOKEN"] = token_of("operator")
    made = way.data("token", "create", "agent-1", "--role", "agent")
    run(damage(store, made["id"]))
    rows = {row["id"]: row for row in way.data("token", "list")}
    assert rows.keys() == {NEWER, made["id"], DAMAGED}
    assert rows[made["id"]]["state"] == "valid"
    for name in (NEWER, DAMAGED):
        assert (rows[name]["state"], rows[name]["principal"]) == ("unreadable", None)
        assert rows[name]["comment"]
    assert "release" in rows[NEWER]["comment"]
    table = way.bps("token", "list")
    assert (table.code, table.out.count("unreadable")) == (0, 2)
    assert way.data("token", "prune", "--older-than", "1s")["pruned"] == []
