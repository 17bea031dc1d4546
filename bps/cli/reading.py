"""`bps canonical`, `bps diff`, `bps log`."""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.options import Output, PlanArg, positive_number
from bps.cli.output import Format, cell, note, printing, show, show_plain, show_stream
from bps.cli.session import command, session_of
from bps.core import ids
from bps.core.errors import InvalidInput

if TYPE_CHECKING:
    from bps.core.ports import Store
    from bps.plans.cloudevents import CloudEvent


def _version(text: str | None) -> int | None:
    return None if text is None else positive_number(text, "version")


@command
async def canonical(
    context: typer.Context,
    plan: PlanArg,
    version: Annotated[
        str | None, typer.Option(metavar="N", help="Default: the canonical one.")
    ] = None,
    content: Annotated[bool, typer.Option("--content", help="Print the blueprint itself.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show a canonical version, or print its blueprint byte for byte."""
    plan, wanted = ids.plan_id(plan), _version(version)

    from bps.plans.read import blueprint, version_of  # noqa: PLC0415

    async with session_of(context).store() as store:
        found = await version_of(store, plan, wanted)
        text = await blueprint(store, plan, found.digest) if content else b""
    if content:
        with printing():
            sys.stdout.buffer.write(text)
    else:
        show(found, output)


@command
async def diff(
    context: typer.Context,
    plan: PlanArg,
    left: Annotated[str | None, typer.Argument(help="A version; default: canonical.")] = None,
    right: Annotated[str | None, typer.Argument(help="A version.")] = None,
    branch: Annotated[
        str | None, typer.Option("--branch", help="Compare this RR-plan instead of RIGHT.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what differs between two versions, or between canonical and a branch."""
    plan, old, new = ids.plan_id(plan), _version(left), _version(right)
    if (right is None) == (branch is None):
        raise InvalidInput("Name two versions, or one branch with --branch.", field="right")
    ref = None if branch is None else ids.BranchRef.parse(plan, branch)

    from bps.cli.comparison import compare_blueprints  # noqa: PLC0415
    from bps.plans.read import blueprint, rr_plan_of, version_of  # noqa: PLC0415

    async with session_of(context).store() as store:
        before = await version_of(store, plan, old)
        if ref is not None:
            _, rr_plan = await rr_plan_of(store, plan, ref)
            digest, name = rr_plan.digest or rr_plan.base_digest, rr_plan.rr_plan
        else:
            after = await version_of(store, plan, new)
            digest, name = after.digest, f"version {after.version}"
        found = compare_blueprints(
            await blueprint(store, plan, before.digest), await blueprint(store, plan, digest)
        )
    view = found.view(plan, f"version {before.version}", name)
    if output is Format.TABLE:
        same = ", identical" if view.identical else ", the same data in other bytes"
        note(f"{plan}: {view.left} -> {view.right}" + ("" if view.changes else same))
        show_plain([change.row() for change in view.changes], output)
    else:
        show(view, output)


@command
async def log(
    context: typer.Context,
    plan: PlanArg,
    start: Annotated[str, typer.Option("--from", metavar="N", help="First event to show.")] = "1",
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait for new events; JSON is one object a line.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show a plan's events, oldest first; JSON and YAML are CloudEvents 1.0."""
    plan = ids.plan_id(plan)
    first = positive_number(start, "event")
    async with session_of(context).store() as store:
        if follow:
            await _follow(store, plan, first, output)
        else:
            from bps.cli.log_row import COLUMNS, log_row  # noqa: PLC0415
            from bps.replay.events import read_events  # noqa: PLC0415

            async with aclosing(read_events(store, plan, first)) as events:
                await show_stream(events, output, COLUMNS, log_row)


async def _follow(store: Store, plan: str, start: int, form: Format) -> None:
    import orjson  # noqa: PLC0415 - only where used

    from bps.cli.log_row import COLUMNS, log_row  # noqa: PLC0415
    from bps.replay.events import follow_events  # noqa: PLC0415

    def line(event: CloudEvent) -> str:
        if form is Format.TABLE:
            row = log_row(event)
            return "  ".join(cell(row[name]) for name in COLUMNS)
        # In YAML, which JSON is, each event is a document of its own.
        start_of_document = "--- " if form is Format.YAML else ""
        return start_of_document + orjson.dumps(event.model_dump(mode="json")).decode()

    async with aclosing(follow_events(store, plan, start)) as events:
        async for event in events:
            with printing():
                sys.stdout.write(line(event) + "\n")
