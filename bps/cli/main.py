"""The `bps` command: its root options and the tree of its subcommands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bps.bootstrap import Settings
from bps.cli import branch, operating, plan, promotion, proof, reading
from bps.cli.session import Session

app = typer.Typer(
    name="bps",
    help="Blueprint Promotion Service: decides atomically which blueprint is canonical.",
    epilog="Exit codes: 0 done, 1 rejected or in conflict, 2 refused input, 3 integrity, "
    "75 unavailable, try again. `bps explain CODE` explains an error.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(plan.app, name="plan")
app.add_typer(branch.app, name="branch")
for function in (
    operating.init,
    promotion.promote,
    promotion.revert,
    reading.canonical,
    reading.diff,
    reading.log,
    proof.verify,
    proof.replay,
    operating.sync,
    operating.doctor,
    operating.explain,
    operating.demo,
):
    app.command()(function)


@app.callback()
def root(
    context: typer.Context,
    etcd: Annotated[
        str | None,
        typer.Option(
            help="etcd members, host:port separated by commas; default: an embedded etcd.",
            envvar="BPS_ETCD_ENDPOINTS",
        ),
    ] = None,
    principal: Annotated[
        str, typer.Option("--as", help="Who acts.", envvar="BPS_PRINCIPAL")
    ] = "operator",
    workspace: Annotated[
        Path | None,
        typer.Option(help="Root of the projected files.", envvar="BPS_WORKSPACE"),
    ] = None,
) -> None:
    """Root options; certificates, user and password of etcd come from BPS_ETCD_* variables."""
    settings = Settings.from_environment()
    if etcd is not None:
        members = tuple(part.strip() for part in etcd.split(",") if part.strip())
        settings = replace(settings, endpoints=members)
    context.obj = Session(settings, principal, workspace)


def main() -> None:
    """Entry point of the console script."""
    app()
