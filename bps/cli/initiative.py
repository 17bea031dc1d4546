"""`bps initiative ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.backend import Write
from bps.cli.options import OpId, Output, Standalone
from bps.cli.output import Format, show
from bps.cli.session import command, session_of
from bps.core import ids
from bps.core.text import one_line

if TYPE_CHECKING:
    from bps.api.initiatives import InitiativeView
    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.initiatives.model import Initiative

app = typer.Typer(help="Make and show initiatives, which plans belong to.", no_args_is_help=True)

InitiativeArg = Annotated[
    str, typer.Argument(help="Initiative id, such as checkout-2026.", metavar="INITIATIVE")
]


@app.command()
@command
async def create(
    context: typer.Context,
    initiative: InitiativeArg,
    title: Annotated[str, typer.Option(help="One line for people.")] = "",
    zone: Annotated[
        str, typer.Option(help="Time zone of its business days, such as Europe/Berlin.")
    ] = "UTC",
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Make an initiative; the same one again changes nothing."""
    initiative = ids.initiative_id(initiative)
    title = one_line(title, "title")

    from bps.initiatives.create import CreateInitiative  # noqa: PLC0415 - not needed to refuse
    from bps.initiatives.zones import zone_name  # noqa: PLC0415

    zone = zone_name(zone)
    write = Write(
        lambda principal, op: CreateInitiative(principal, op, initiative, title, zone),
        lambda client, op: client.create_initiative(initiative, title=title, zone=zone, op_id=op),
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command("list")
@command
async def list_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List all initiatives."""

    async def directly(store: Store) -> list[InitiativeView]:
        from bps.api.initiatives import initiative_rows  # noqa: PLC0415 - only this way
        from bps.initiatives.read import all_initiatives  # noqa: PLC0415

        return initiative_rows(await all_initiatives(store))

    async def through(client: BpsClient) -> list[InitiativeView]:
        return [initiative async for initiative in client.initiatives()]

    found = await session_of(context).read(directly, through)
    show(found, output, ("initiative", "title", "zone", "state"))


@app.command("show")
@command
async def show_(
    context: typer.Context, initiative: InitiativeArg, output: Output = Format.TABLE
) -> None:
    """Show an initiative."""
    initiative = ids.initiative_id(initiative)

    async def directly(store: Store) -> Initiative:
        from bps.initiatives.read import initiative as read  # noqa: PLC0415 - only this way

        return (await read(store, initiative))[0]

    found = await session_of(context).read(directly, lambda client: client.initiative(initiative))
    show(found, output)
