"""`bps doctor`: look, make room in etcd, accept a rollback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.options import OpId, Output, Standalone
from bps.cli.output import Format, show
from bps.cli.session import Session, command, session_of
from bps.core.error_catalogue import EXIT_INTEGRITY, EXIT_UNAVAILABLE
from bps.core.errors import InvalidInput

if TYPE_CHECKING:
    from bps.api.views import CheckView
    from bps.core.ports import Store

_OF_INTEGRITY = frozenset({"checkpoints", "key registry", "plan logs", "rollbacks"})
"""Checks that fail where stored data contradict a signature, a checkpoint or each other."""


@command
async def doctor(
    context: typer.Context,
    reclaim_space: Annotated[
        bool,
        typer.Option(
            "--reclaim-space", help="Show how etcd gets room again; with --yes do it, on etcd."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do what --reclaim-space shows.")] = False,
    accept_rollback: Annotated[
        bool,
        typer.Option(
            "--accept-rollback",
            help="Take what etcd holds for the truth, although a mirror holds more.",
        ),
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Why the rollback is accepted; kept in the record.")
    ] = None,
    mirror: Annotated[
        Path | None,
        typer.Option(
            help="The mirror that refuses; default: of the sidecar that is asked.",
            metavar="DIRECTORY",
        ),
    ] = None,
    signing_key_file: Annotated[
        str | None,
        typer.Option(
            help="With --standalone: the key of a sidecar that the mirror trusts; default: in the "
            "user's state directory.",
            envvar="BPS_SIGNING_KEY_FILE",
            metavar="FILE",
        ),
    ] = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Check the store and this set-up; exit 75 where something failed, 3 for contradictory data."""
    if (reclaim_space and accept_rollback) or (yes and not reclaim_space):
        raise InvalidInput("Name --reclaim-space (with or without --yes), or --accept-rollback.")
    if (reason is not None or mirror is not None) and not accept_rollback:
        raise InvalidInput("--reason and --mirror belong to --accept-rollback.")
    session = session_of(context)
    if reclaim_space:
        from bps.cli.doctor_space import reclaim  # noqa: PLC0415 - rare

        await reclaim(session, yes=yes, form=output)
    elif accept_rollback:
        if not reason or not reason.strip():
            raise InvalidInput("Say why, by --reason.", field="reason")
        from bps.cli.doctor_rollback import acceptance  # noqa: PLC0415 - rare

        write = acceptance(reason.strip(), mirror, signing_key_file)
        await session.write(write, form=output, standalone=standalone, op_id=op_id)
    else:
        await _look(session, output)


async def _look(session: Session, form: Format) -> None:
    async def directly(store: Store) -> list[CheckView]:
        from bps.bootstrap import check_members  # noqa: PLC0415 - only this way
        from bps.sidecar.diagnosis import diagnose  # noqa: PLC0415

        return await diagnose(
            store,
            endpoints=session.settings.endpoints,
            check_versions=lambda: check_members(store, session.settings),
            quota_bytes=session.settings.quota_bytes,
        )

    checks = await session.read(directly, lambda client: client.doctor())
    show(checks, form)
    failed = {check.check for check in checks if check.status == "failed"}
    if failed:
        raise typer.Exit(EXIT_INTEGRITY if failed & _OF_INTEGRITY else EXIT_UNAVAILABLE)
