"""The direct way keeps to `--timeout`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import BaseModel

from bps.bootstrap import Settings
from bps.cli import direct
from bps.cli.backend import Steps, Write
from bps.cli.direct import Direct
from bps.core.ports import Store
from bps.writepath.command import Outcome
from tests.asynchronous import asynchronous


class _Seen(BaseModel):
    campaign_s: float
    deadline_s: float | None


@pytest.fixture
def _led(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leadership that tells how long it was asked for, and by when to write."""

    @asynccontextmanager
    async def lead(_: Store, settings: Settings) -> AsyncIterator[Any]:
        async def execute(_: object, *, deadline_s: float | None) -> Outcome[Any]:
            seen = _Seen(campaign_s=settings.campaign_s, deadline_s=deadline_s)
            return Outcome(cast("Any", seen), "committed", "", 1)

        yield SimpleNamespace(execute=execute)

    monkeypatch.setattr(direct, "lead", lead)


async def _asked(timeout_s: float | None, *, in_steps: bool) -> _Seen:
    async def steps(_store: object, execute: Any, *_: str) -> Outcome[Any]:
        found: Outcome[Any] = await execute(None)
        return found

    command: Any = Steps(steps) if in_steps else lambda *_: None
    write: Write[_Seen] = Write(command, cast("Any", None))
    backend = Direct(cast("Store", None), Settings(), "operator", timeout_s)
    return (await backend.execute(write, "an-op")).result


@pytest.mark.usefixtures("_led")
@pytest.mark.parametrize("in_steps", [False, True])
@asynchronous
async def test_campaign_and_act_end_by_the_timeout(in_steps: bool) -> None:
    before = time.monotonic()
    seen = await _asked(0.5, in_steps=in_steps)
    assert seen.campaign_s == 0.5
    assert seen.deadline_s is not None
    assert before + 0.5 <= seen.deadline_s <= time.monotonic() + 0.5


@pytest.mark.usefixtures("_led")
@asynchronous
async def test_without_one_each_step_has_its_own_bound() -> None:
    seen = await _asked(None, in_steps=False)
    assert (seen.campaign_s, seen.deadline_s) == (Settings().campaign_s, None)
