"""Blueprints that come in: read within limits, judged by the strict profile, packed."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Depends

from bps.blueprint.profile import check
from bps.http.body import blueprint_body
from bps.plans.blob import Blob, pack


async def checked_blueprint(content: Annotated[bytes, Depends(blueprint_body)]) -> Blob:
    """A dependency: the request's blueprint, ready to be stored.

    Judging 1 MiB takes up to half a second; in a thread, so that other requests go on.

    Raises:
        InvalidBlueprint: it breaks the profile.
        Whatever `blueprint_body` raises.
    """
    return await asyncio.to_thread(_checked, content)


def _checked(content: bytes) -> Blob:
    check(content)
    return pack(content)


CheckedBlueprint = Annotated[Blob, Depends(checked_blueprint)]
