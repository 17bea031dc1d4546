"""What doctor says of the validators that the policy names."""

from __future__ import annotations

import pytest

from bps.clock import SystemClock
from bps.sidecar import validators_row as module
from bps.sidecar.diagnosis import diagnose_sidecar
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.sidecar.validators_row import validators_row
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous
from tests.doubles import Scene


@asynchronous
async def test_what_the_policy_names_and_is_not_installed_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = await Scene.make()
    await scene.set_policy(validators=[{"name": "references", "config": {}}])
    row = await validators_row(scene.memory)
    assert row is not None
    assert (row.status, row.detail) == ("ok", "1 of the policy, all installed here")
    monkeypatch.setattr(module, "installed", dict)
    row = await validators_row(scene.memory)
    assert row is not None
    assert row.status == "warning"
    assert row.detail == "not installed where this service runs: references"
    assert "nothing is promoted" in row.next_action


@asynchronous
async def test_a_service_has_the_row_where_there_is_a_policy() -> None:
    store = MemoryStore(SystemClock())
    assert await validators_row(store) is None
    async with Sidecar(store, SystemClock(), SidecarSettings("sidecar")) as sidecar:
        await sidecar.terms.decided()
        rows = {each.check: each.status for each in await diagnose_sidecar(sidecar)}
    assert rows["validators"] == "ok"
