"""`bps events`: what happens in plans, as the service tells it."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bps.cli.options import Output
from bps.cli.output import Format, cell, printing, show_stream
from bps.cli.session import command, session_of
from bps.core import ids
from bps.core.errors import ConfigError, InvalidInput

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bps.api.views import PublishedView
    from bps.client import BpsClient
    from bps.core.ports import Store

COLUMNS = ("id", "plan", "time", "type", "by", "what")


@command
async def events(
    context: typer.Context,
    plan: Annotated[
        str | None, typer.Argument(help="Plan id, such as EP-42.", metavar="PLAN")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The events of all plans.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait for new events; JSON is one object a line.")
    ] = False,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Id of the last event seen; default: a plan's first, or now for all."
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show events through the service, each once, through restarts of it; needs a service."""
    if (plan is None) != everything:
        raise InvalidInput("Name a plan, or --all.", field="plan")
    if everything and after is None and not follow:
        raise InvalidInput("All events up to now need --after; or add --follow.", field="after")
    wanted = None if plan is None else ids.plan_id(plan)
    start = _start(after, of_plan=wanted is not None)

    def through(client: BpsClient) -> AsyncGenerator[PublishedView, None]:
        return _views(client, wanted, start, follow=follow)

    async with session_of(context).reading() as backend:
        found = backend.read(_not_directly, through)
        async with aclosing(found) as published:
            if follow:
                await _print_each(published, output)
            else:
                await show_stream(published, output, COLUMNS, _row)


def _start(after: str | None, *, of_plan: bool) -> str | None:
    """Raises InvalidInput."""
    if after is None:
        return None
    revision, dash, index = after.partition("-")
    numbers = [revision] if of_plan or not dash else [revision, index]
    known = all(each.isascii() and each.isdigit() and len(each) <= 19 for each in numbers)  # noqa: PLR2004
    if not known or (of_plan and dash):
        example = "7" if of_plan else "1042-1"
        raise InvalidInput(f"{after[:60]!a} is no id; one looks like {example}.", field="after")
    return after


def _not_directly(_: Store) -> NoReturn:
    msg = "`bps events` asks a service, and none is named."
    raise ConfigError(msg).advising("Name one by --url or `bps context`, or use `bps log`.")


async def _views(
    client: BpsClient, plan: str | None, after: str | None, *, follow: bool
) -> AsyncGenerator[PublishedView, None]:
    from bps.api.views import PublishedView  # noqa: PLC0415 - heavy

    if plan is None:
        found = client.all_events(after=after) if follow else client.all_log(after or "")
        async with aclosing(found) as published:
            async for each in published:
                yield PublishedView(id=each.id, event=each.event)
    else:
        seq = int(after or 0)
        of_plan = client.events(plan, after=seq) if follow else client.log(plan, after=seq)
        async with aclosing(of_plan) as log:
            async for event in log:
                yield PublishedView(id=event.id, event=event)


def _row(published: BaseModel) -> dict[str, Any]:
    from bps.cli.log_row import log_row  # noqa: PLC0415

    view: Any = published
    row = log_row(view.event)
    return {**row, "id": view.id, "plan": view.event.source.rpartition("/")[2]}


async def _print_each(published: AsyncIterator[PublishedView], form: Format) -> None:
    async for each in published:
        if form is Format.TABLE:
            row = _row(each)
            line = "  ".join(cell(row[name]) for name in COLUMNS)
        else:
            # In YAML, which JSON is, each event is a document of its own.
            line = ("--- " if form is Format.YAML else "") + each.model_dump_json()
        with printing():
            sys.stdout.write(line + "\n")
