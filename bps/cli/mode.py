"""`bps mode ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bps.cli.backend import Write
from bps.cli.options import OpId, Output, Reason, Standalone
from bps.cli.output import Format, show
from bps.cli.session import command, session_of
from bps.core.text import free_text, needed_text

if TYPE_CHECKING:
    from bps.core.ports import Store
    from bps.leadership.operator_mode import OperatorMode, Wanted

app = typer.Typer(help="Make the service read-only, or let it write again.", no_args_is_help=True)


@app.command("show")
@command
async def show_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Show whether an operator has made the service read-only, who, why and since when."""

    async def directly(store: Store) -> OperatorMode:
        from bps.leadership.operator_mode import operator_mode  # noqa: PLC0415 - only this way

        return (await operator_mode(store)).wanted

    show(await session_of(context).read(directly, lambda client: client.mode()), output)


@app.command("read-only")
@command
async def read_only(
    context: typer.Context,
    reason: Reason,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Let no sidecar write from now on; reads go on, and writers are told the reason."""
    await _set(context, "READ_ONLY", reason, standalone=standalone, op_id=op_id, output=output)


@app.command("read-write")
@command
async def read_write(
    context: typer.Context,
    reason: Reason = "",
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Let the sidecars write again."""
    await _set(context, "READ_WRITE", reason, standalone=standalone, op_id=op_id, output=output)


async def _set(
    context: typer.Context,
    mode: Wanted,
    reason: str,
    *,
    standalone: bool,
    op_id: str | None,
    output: Format,
) -> None:
    from bps.leadership.operator_mode import SetOperatorMode  # noqa: PLC0415 - only where used

    reason = (needed_text if mode == "READ_ONLY" else free_text)(reason, "reason")
    write = Write(
        lambda principal, op: SetOperatorMode(principal, op, mode, reason),
        lambda client, op: client.set_mode(mode, reason=reason, op_id=op),
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)
