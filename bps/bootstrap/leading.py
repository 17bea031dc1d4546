"""A leader's session: campaign, write, resign; or only a preview of what would be written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from bps.bootstrap.members import check_members
from bps.bootstrap.settings import Settings
from bps.core import ids
from bps.core.errors import NotLeader
from bps.core.ports import Store

if TYPE_CHECKING:
    from bps.core.codec import Record
    from bps.core.ids import ReviewId
    from bps.review.sheet import ReviewSheet
    from bps.writepath.command import Command, Outcome
    from bps.writepath.transact import WritePath

R = TypeVar("R", bound="Record")


@asynccontextmanager
async def lead(
    store: Store, settings: Settings, *, initialise: bool = True
) -> AsyncIterator[WritePath]:
    """Campaign, initialise an empty store (unless told not to), yield the write path, resign.

    Raises:
        NotLeader: another process leads and did not resign in time.
        ConfigError: see `check_members`.
        SchemaTooNew: a newer release laid the store out.
    """
    from bps.clock import SystemClock  # noqa: PLC0415
    from bps.leadership.election import Leadership  # noqa: PLC0415
    from bps.setup.initialise import Initialise  # noqa: PLC0415
    from bps.workshop.workshop import LocalWorkshop  # noqa: PLC0415
    from bps.writepath.transact import WritePath  # noqa: PLC0415

    await check_members(store, settings)
    clock = SystemClock()
    async with Leadership(
        store, clock, settings.sidecar_name, ttl_s=settings.lease_ttl_s
    ) as leadership:
        try:
            await leadership.campaign(settings.campaign_s)
        except NotLeader as error:
            raise await _who_leads(store, error) from None
        async with LocalWorkshop() as workshop:
            write_path = WritePath(store, leadership, clock, workshop=workshop)
            if initialise:
                op_id = f"initialise-{clock.now_ms()}"
                await write_path.execute(Initialise(ids.SERVICE_PRINCIPAL, op_id))
            yield write_path


async def _who_leads(store: Store, refused: NotLeader) -> NotLeader:
    """The same refusal; where a sidecar leads it says so, and where that is asked."""
    from bps.core.errors import BpsError  # noqa: PLC0415
    from bps.sidecar.presence import find_presence  # noqa: PLC0415

    leader = str(refused.facts.get("leader", ""))
    try:
        found = await find_presence(store, leader)
    except BpsError:
        # What leads is known; where it is asked only helps.
        return refused
    if found is None:
        return refused
    where = f" at {found.url}" if found.url else ""
    use = f"`--url {found.url}`" if found.url else "`--url`"
    named = NotLeader(
        f"The sidecar {leader} leads{where}; nothing is written beside it.",
        **{**refused.facts, "url": found.url},
    )
    return named.advising(f"Use the service ({use}), or stop all sidecars first.")


async def review_sheet(store: Store, review: ReviewId) -> ReviewSheet:
    """A review computed anew; see `bps.review.read`."""
    from bps.clock import SystemClock  # noqa: PLC0415
    from bps.review.read import review_sheet as look  # noqa: PLC0415
    from bps.workshop.workshop import LocalWorkshop  # noqa: PLC0415

    async with LocalWorkshop() as workshop:
        return await look(store, SystemClock(), workshop, review)


async def decide_only(store: Store, command: Command[R]) -> Outcome[R]:
    """A dry run of `command`; see `bps.writepath.preview`."""
    from bps.clock import SystemClock  # noqa: PLC0415
    from bps.workshop.workshop import LocalWorkshop  # noqa: PLC0415
    from bps.writepath.preview import decide_only as preview  # noqa: PLC0415

    async with LocalWorkshop() as workshop:
        return await preview(store, SystemClock(), command, workshop)
