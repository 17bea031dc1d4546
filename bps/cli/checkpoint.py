"""`bps checkpoint ...`: the signed chain of checkpoints."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.options import Output, positive_number
from bps.cli.output import Format, show, show_stream
from bps.cli.session import command, session_of

if TYPE_CHECKING:
    from bps.api.checkpoints import CheckpointView
    from bps.client import BpsClient
    from bps.core.ports import Store

app = typer.Typer(
    help="Look at the checkpoints, which vouch for the logs of all plans; each is verified before "
    "it is shown.",
    no_args_is_help=True,
)

_PAGE = 100
_COLUMNS = ("seq", "time", "revision", "key_id")


@app.command("list")
@command
async def list_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List all checkpoints, oldest first."""
    async with session_of(context).reading() as backend:
        found = backend.read(_of_store, _of_service)
        async with aclosing(found) as checkpoints:
            await show_stream(checkpoints, output, _COLUMNS)


@app.command("show")
@command
async def show_(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Number of a checkpoint.", metavar="SEQ")],
    output: Output = Format.TABLE,
) -> None:
    """Show a checkpoint: the plans it covers, with the ends of their logs, and its signature."""
    seq = positive_number(number, "checkpoint")

    async def directly(store: Store) -> CheckpointView:
        from bps.api.checkpoints import CheckpointView  # noqa: PLC0415 - only this way
        from bps.checkpoints.read import one_checkpoint  # noqa: PLC0415

        named, _ = await one_checkpoint(store, seq)
        return CheckpointView.of(named.checkpoint, named.hash)

    show(await session_of(context).read(directly, lambda client: client.checkpoint(seq)), output)


async def _of_store(store: Store) -> AsyncGenerator[CheckpointView, None]:
    from bps.api.checkpoints import CheckpointView  # noqa: PLC0415 - only this way
    from bps.checkpoints.read import checkpoints_page  # noqa: PLC0415

    last: int | None = 0
    while last is not None:
        page = await checkpoints_page(store, last, _PAGE)
        for named in page.items:
            yield CheckpointView.of(named.checkpoint, named.hash)
        last = page.last


def _of_service(client: BpsClient) -> AsyncGenerator[CheckpointView, None]:
    return client.checkpoints()
