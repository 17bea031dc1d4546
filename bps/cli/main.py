"""The `bps` command: its root options and the tree of its subcommands."""

from __future__ import annotations

import logging
import os
import signal
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from bps.bootstrap import Settings
from bps.cli import branch, operating, plan, promotion, proof, reading
from bps.cli.output import drop_output, not_shown, printing
from bps.cli.session import EXIT_INTERRUPTED, Session, refusal
from bps.cli.streams import prepare_streams
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


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it
    if wanted:
        with printing():
            sys.stdout.write(f"bps {metadata.version('blueprint-promotion-service')}\n")
        raise typer.Exit


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
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
    workspace: Annotated[
        str | None,
        typer.Option(
            help="Root of the projected files.", envvar="BPS_WORKSPACE", metavar="DIRECTORY"
        ),
    ] = None,
) -> None:
    """Root options; certificates, user and password of etcd come from BPS_ETCD_* variables."""
    try:
        settings = Settings.from_environment()
        if etcd is not None:
            settings = replace(settings, endpoints=_members(etcd))
        if workspace == "":
            raise ConfigError("--workspace names no directory; leave it out for no workspace.")
    except BpsError as error:
        raise refusal(error, as_json=False) from None
    context.obj = Session(settings, principal, None if workspace is None else Path(workspace))


def _members(text: str) -> tuple[str, ...]:
    """Named members; naming none must not start an etcd of our own instead."""
    members = tuple(part.strip() for part in text.split(",") if part.strip())
    if not members:
        raise ConfigError("--etcd names no member; leave it out for an etcd of our own.")
    if "@" in text:
        # Never shown: it may hold a password.
        msg = "--etcd takes host:port only; user and password go into BPS_ETCD_USER and _PASSWORD."
        raise ConfigError(msg)
    if not text.isprintable():
        raise ConfigError(f"--etcd must be printable, not {text[:60]!a}.")
    return members


def main() -> None:
    """Entry point of the console script."""
    # gRPC's own lines would stand among ours on stderr; its failures come as named errors.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # So would lines that are logged for operators of a service.
    logging.getLogger("bps").addHandler(logging.NullHandler())
    try:
        prepare_streams()
        app()
    except OSError as error:
        # Commands name their own failures; this one is of the help.
        drop_output()
        sys.exit(refusal(not_shown(error), as_json=False).exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    finally:
        # The exit code is decided; nothing that the interpreter still does may change it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            sys.stdout.flush()
        except OSError:
            drop_output()
