"""`bps verify`, `bps replay`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.each_plan import each_plan, plans_for, raise_gravest
from bps.cli.json_file import read_json
from bps.cli.options import Output, chosen_plans
from bps.cli.output import Format, show
from bps.cli.session import Session, command, session_of
from bps.core import ids
from bps.core.errors import ConfigError, InvalidInput

if TYPE_CHECKING:
    from bps.cli.backend import Backend
    from bps.core.ports import Store
    from bps.plans.results import Receipt
    from bps.replay.verify import Verified

Plans = Annotated[
    list[str] | None, typer.Argument(help="Plan ids; default: all plans.", metavar="PLAN")
]
_HASH = re.compile(r"[0-9a-f]{64}")


@command
async def verify(
    context: typer.Context,
    plans: Plans = None,
    receipt: Annotated[
        Path | None,
        typer.Option(help="Check that the log still holds what this receipt (or result) names."),
    ] = None,
    mirror: Annotated[
        Path | None,
        typer.Option(
            help="Check that the log and the store hold what this mirror of checkpoints names.",
            metavar="DIRECTORY",
        ),
    ] = None,
    merges: Annotated[
        bool, typer.Option("--merges", help="Merge again what each promotion has merged.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Check event logs: names the first bad event, exit 3, where one does not verify."""
    chosen = chosen_plans(plans)
    held = None if receipt is None else _receipt(receipt)
    if held is not None and chosen not in ([], [held.plan]):
        raise InvalidInput(f"The receipt is of {held.plan}.", field="receipt")

    async with _way_of(session_of(context), mirror, merges=merges) as backend:
        named = [held.plan] if held is not None else chosen
        targets, unlisted = await plans_for(backend, named)
        done, failed = await each_plan(
            targets,
            lambda plan: backend.read(
                lambda store: _verify(store, plan, held, mirror, merges=merges),
                lambda client: client.verify(plan, held),
            ),
        )
    if done or not failed:
        columns = ("plan", "events", "blobs", "head", "checkpointed", "receipt")
        show(done, output, (*columns, "merges") if merges else columns)
    raise_gravest([*([unlisted] if unlisted else []), *failed.values()], output)


@asynccontextmanager
async def _way_of(session: Session, mirror: Path | None, *, merges: bool) -> AsyncIterator[Backend]:
    """The way that reads take. A mirror is on this machine, and so needs the store itself."""
    async with session.reading() as backend:
        if merges:
            backend.read(lambda _store: None, _no_merges)
        if mirror is not None:
            backend.read(lambda _store: None, _no_mirror)
        yield backend


_HOW_TO_ETCD = (
    "Name etcd's members (`bps --etcd HOST:PORT ... verify`; `bps doctor` lists them). The one of "
    "`bps serve --embedded` on this host is found by itself: `BPS_STANDALONE=1 bps verify ...`."
)


def _no_mirror(_client: object) -> None:
    raise ConfigError("--mirror compares with etcd itself, not by the service.").advising(
        _HOW_TO_ETCD
    )


def _no_merges(_client: object) -> None:
    raise ConfigError("--merges reads etcd and merges here, not in the service.").advising(
        _HOW_TO_ETCD
    )


async def _verify(
    store: Store, plan: str, held: Receipt | None, mirror: Path | None, *, merges: bool
) -> Verified:
    from bps.checkpoints.accepted import naming_rollbacks  # noqa: PLC0415 - only this way
    from bps.checkpoints.proof import witnesses  # noqa: PLC0415
    from bps.replay.verify import verify as verify_plan  # noqa: PLC0415

    async with naming_rollbacks(store, plan, receipt=held is not None):
        found = await verify_plan(store, plan, held, await witnesses(store, plan, mirror))
    if not merges:
        return found
    from bps.replay.merges import verify_merges  # noqa: PLC0415 - only where asked for

    return found.model_copy(update={"merges": await verify_merges(store, plan)})


@command
async def replay(
    context: typer.Context, plans: Plans = None, output: Output = Format.TABLE
) -> None:
    """Rebuild the state from the events alone and prove it equal to the stored one."""
    chosen = chosen_plans(plans)

    from bps.replay.replay import replay as replay_plan  # noqa: PLC0415

    async with session_of(context).reading() as backend:
        targets, unlisted = await plans_for(backend, chosen)
        done, failed = await each_plan(
            targets,
            lambda plan: backend.read(
                lambda store: replay_plan(store, plan), lambda client: client.replay(plan)
            ),
        )
    if done or not failed:
        show(done, output, ("plan", "events", "records", "version", "digest"))
    raise_gravest([*([unlisted] if unlisted else []), *failed.values()], output)


def _receipt(path: Path) -> Receipt:
    """A receipt, or the `receipt` of a command's JSON result."""
    from pydantic import ValidationError  # noqa: PLC0415

    from bps.plans.results import Receipt  # noqa: PLC0415

    fields = read_json(path, "The receipt", "receipt")
    if isinstance(fields, dict) and "receipt" in fields:
        fields = fields["receipt"]
    try:
        found: Receipt | None = Receipt.model_validate(fields)
    except ValidationError:
        found = None
    if found is None or found.seq < 1 or _HASH.fullmatch(found.hash) is None:
        raise InvalidInput("The receipt does not have plan, seq and hash.", field="receipt")
    ids.plan_id(found.plan)
    return found
