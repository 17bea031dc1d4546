"""A plan whose promotions are judged by validators in their real processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bps.workshop.workshop import LocalWorkshop
from tests.doubles import Scene


@asynccontextmanager
async def judged_plan(
    content: bytes, *validators: str | tuple[str, dict[str, Any]]
) -> AsyncIterator[Scene]:
    """The plan with this blueprint; validators by name, or by name and configuration."""
    named = [each if isinstance(each, tuple) else (each, {}) for each in validators]
    async with LocalWorkshop() as workshop:
        scene = await Scene.make(content=content, workshop=workshop)
        await scene.set_policy(validators=[{"name": n, "config": c} for n, c in named])
        yield scene
