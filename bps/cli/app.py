"""`bps` with its root options."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bps.bootstrap import Settings, StoreKind
from bps.cli.connection import Connection, setting_of, standalone_from_environment
from bps.cli.output import drop_output, not_shown, printing
from bps.cli.root_group import RootGroup
from bps.cli.session import EXIT_INTERRUPTED, Session, refusal
from bps.cli.streams import prepare_streams
from bps.core.errors import BpsError, ConfigError

app = typer.Typer(
    name="bps",
    cls=RootGroup,
    help="Blueprint Promotion Service: decides atomically which blueprint is canonical.",
    epilog="Exit codes: 0 done, 1 rejected or in conflict, 2 refused input, 3 integrity, "
    "75 unavailable, try again. `bps explain CODE` explains an error.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it
    if wanted:
        from importlib import metadata  # noqa: PLC0415 - only where used

        with printing():
            sys.stdout.write(f"bps {metadata.version('blueprint-promotion-service')}\n")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    etcd: Annotated[
        str | None,
        typer.Option(
            help="etcd members, host:port with commas, without a service; default: our own.",
            envvar="BPS_ETCD_ENDPOINTS",
        ),
    ] = None,
    store: Annotated[
        StoreKind | None,
        typer.Option(
            help="How to speak to etcd: by gRPC (etcd, the default) or by its HTTP/JSON gateway.",
            envvar="BPS_STORE",
        ),
    ] = None,
    url: Annotated[  # noqa: ARG001 - read with its origin
        str | None,
        typer.Option(help="The service, such as https://bps.example.org.", envvar="BPS_URL"),
    ] = None,
    named_context: Annotated[  # noqa: ARG001 - read with its origin
        str | None,
        typer.Option(
            "--context", help="A context of `bps context` instead of --url.", envvar="BPS_CONTEXT"
        ),
    ] = None,
    token: Annotated[  # noqa: ARG001 - read with its origin
        str | None,
        typer.Option(
            help="Token for the service; others see it in the process list.", envvar="BPS_TOKEN"
        ),
    ] = None,
    token_file: Annotated[  # noqa: ARG001 - read with its origin
        str | None,
        typer.Option(help="File that holds the token.", envvar="BPS_TOKEN_FILE", metavar="FILE"),
    ] = None,
    ca_file: Annotated[  # noqa: ARG001 - read with its origin
        str | None,
        typer.Option(help="CA of the service (PEM).", envvar="BPS_CA_FILE", metavar="FILE"),
    ] = None,
    cert_file: Annotated[  # noqa: ARG001 - read with its origin
        str | None,
        typer.Option(
            help="Our certificate for the service (PEM).", envvar="BPS_CERT_FILE", metavar="FILE"
        ),
    ] = None,
    key_file: Annotated[  # noqa: ARG001 - read with its origin
        str | None,
        typer.Option(help="Its private key (PEM).", envvar="BPS_KEY_FILE", metavar="FILE"),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=30,
            metavar="SECONDS",
            help="How long an act may take at the service, waiting and repeating included; "
            "default: 10. With --standalone: from the campaign on; default: no limit of its own.",
            envvar="BPS_TIMEOUT_S",
        ),
    ] = None,
    principal: Annotated[  # noqa: ARG001 - read with its origin
        str | None,
        typer.Option(
            "--as", help="Who acts, with --standalone; default: operator.", envvar="BPS_PRINCIPAL"
        ),
    ] = None,
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
        if store is not None:
            settings = replace(settings, store_kind=store)
        if workspace == "":
            raise ConfigError("--workspace names no directory.").advising(
                "Name one, or leave it out for no workspace."
            )
    except BpsError as error:
        raise refusal(error, as_json=False) from None
    context.obj = Session(
        settings,
        setting_of(context, "principal"),
        None if workspace is None else Path(workspace),
        Connection(
            url=setting_of(context, "url"),
            context=setting_of(context, "named_context"),
            token=setting_of(context, "token"),
            token_file=setting_of(context, "token_file"),
            ca_file=setting_of(context, "ca_file"),
            cert_file=setting_of(context, "cert_file"),
            key_file=setting_of(context, "key_file"),
            timeout_s=timeout,
            etcd=setting_of(context, "etcd").origin,
            standalone=standalone_from_environment(),
        ),
    )


def _members(text: str) -> tuple[str, ...]:
    """Named members; naming none must not start an etcd of our own instead."""
    members = tuple(part.strip() for part in text.split(",") if part.strip())
    if not members:
        raise ConfigError("--etcd names no member.").advising(
            "Name host:port, or leave it out for an etcd of our own."
        )
    if "@" in text:
        # Never shown: it may hold a password.
        raise ConfigError("--etcd takes host:port only.").advising(
            "Put user and password into BPS_ETCD_USER and BPS_ETCD_PASSWORD."
        )
    if not text.isprintable():
        raise ConfigError(f"--etcd must be printable, not {text[:60]!a}.").advising(
            "Name etcd's members as host:port, with commas between them."
        )
    return members


def run() -> None:
    """Run the command line of this process, and leave its streams in order."""
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
        # What is left goes with the process; to look for garbage in it takes 50 ms.
        gc.freeze()
        try:
            sys.stdout.flush()
        except OSError:
            drop_output()
