"""The `bps` command: its root options and the tree of its subcommands."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from bps.bootstrap import Settings
from bps.cli import branch, operating, plan, promotion, proof, reading
from bps.cli.session import Session, refusal
from bps.core.errors import BpsError, ConfigError

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
    try:
        settings = Settings.from_environment()
        if etcd is not None:
            settings = replace(settings, endpoints=_members(etcd))
    except BpsError as error:
        raise refusal(error, as_json=False) from None
    context.obj = Session(settings, principal, workspace)


def _members(text: str) -> tuple[str, ...]:
    """Named members; naming none must not start an etcd of our own instead."""
    members = tuple(part.strip() for part in text.split(",") if part.strip())
    if not members:
        raise ConfigError("--etcd names no member; leave it out for an etcd of our own.")
    if not text.isprintable():
        raise ConfigError(f"--etcd must be printable, not {text[:60]!a}.")
    return members


def main() -> None:
    """Entry point of the console script."""
    # gRPC's own lines would stand among ours on stderr; its failures come as named errors.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for stream in (sys.stdout, sys.stderr):
        # JSON is UTF-8 whatever the locale says; and no character may end a command halfway.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    app()
