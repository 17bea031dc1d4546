"""`verify` and `replay` over many plans: one bad plan hides no other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bps.bootstrap import Settings
from bps.core.keys import PlanKeys
from bps.core.ports import Store
from tests.doubles import PLAN
from tests.unit.cli.invoke import invoke
from tests.unit.replay.history import KEYS, Records, flipped, lived, loaded

OTHER = "EP-9999"


def two_plans() -> Records:
    """A damaged plan, and one before it in the list that has lost its head."""
    records = lived()
    other = PlanKeys(OTHER)
    renamed = {
        key.replace(KEYS.root, other.root): value
        for key, value in records.items()
        if key.startswith(KEYS.root) and key != KEYS.head
    }
    plan_record = records[KEYS.record].replace(PLAN.encode(), OTHER.encode())
    return {**records, **renamed, other.record: plan_record}


@pytest.mark.parametrize("command", ["verify", "replay"])
@pytest.mark.parametrize("damaged", [False, True])
def test_the_sound_are_shown_and_the_damaged_named(
    monkeypatch: pytest.MonkeyPatch, command: str, damaged: bool
) -> None:
    records = two_plans()
    if damaged:
        records[KEYS.event(3)] = flipped(records[KEYS.event(3)], 40, 1)

    @asynccontextmanager
    async def in_memory(_: Settings) -> AsyncIterator[Store]:
        yield await loaded(records)

    monkeypatch.setattr("bps.cli.session.open_store", in_memory)
    ran = invoke(command, "-o", "json")
    assert ran.code == 3
    assert damaged or [row["plan"] for row in json.loads(ran.out)] == [PLAN]
    assert not damaged or ran.out == ""
    assert f"{OTHER}: the head of the log is broken" in ran.err
    assert (f"{PLAN}: the log is broken at event" in ran.err) is damaged
