"""What is installed is looked at for each run, and once where its caller has just looked."""

from __future__ import annotations

import asyncio

import pytest

from bps.validation.installation import Installation
from bps.validation.pool import ValidatorPool
from bps.validation.report import Allowed, CandidateText
from tests.asynchronous import asynchronous

CANDIDATE = CandidateText(None, {}, "a: 1\n", {})


@asynchronous
async def test_a_run_relies_on_a_look_of_the_same_turn_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []

    def seen(_: Installation) -> tuple[()]:
        looks.append(1)
        return ()

    monkeypatch.setattr(Installation, "seen", seen)
    async with ValidatorPool() as pool:

        async def run(*, look: bool) -> int:
            async def asked() -> None:
                if look:
                    assert pool.installed == ()
                await pool.run(CANDIDATE, [Allowed("none", {})], 10.0)

            looks.clear()
            asking = asyncio.create_task(asked())
            await asyncio.sleep(0)
            asking.cancel()
            return len(looks)

        assert await run(look=True) == 1
        assert await run(look=False) == 1
        looks.clear()
        assert pool.installed == pool.installed
        assert len(looks) == 2
