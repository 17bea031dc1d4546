"""`bps canonical`, `bps diff`, `bps log`."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.options import Output, PlanArg, positive_number
from bps.cli.output import Format, cell, note, printing, show, show_plain, show_stream
from bps.cli.session import Session, command, session_of
from bps.core import ids
from bps.core.errors import InvalidInput

if TYPE_CHECKING:
    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.plans.cloudevents import CloudEvent
    from bps.plans.model import Version

_Compared = tuple[int, bytes, str, bytes]
"""The left version and its bytes, the right one's name and its bytes."""


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

    async def directly(store: Store) -> tuple[Version, bytes]:
        from bps.plans.read import blueprint, version_of  # noqa: PLC0415 - only this way

        found = await version_of(store, plan, wanted)
        return found, await blueprint(store, plan, found.digest) if content else b""

    async def through(client: BpsClient) -> tuple[Version, bytes]:
        found = await _served_version(client, plan, wanted)
        return found, await client.blueprint(plan, found.version) if content else b""

    found, text = await session_of(context).read(directly, through)
    if content:
        with printing():
            sys.stdout.buffer.write(text)
    else:
        show(found, output)


@command
async def diff(
    context: typer.Context,
    plan: PlanArg,
    left: Annotated[
        str | None, typer.Argument(help="A version; default: canonical.", metavar="LEFT")
    ] = None,
    right: Annotated[str | None, typer.Argument(help="A version.", metavar="RIGHT")] = None,
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

    async def directly(store: Store) -> _Compared:
        from bps.plans.read import blueprint, rr_plan_of, version_of  # noqa: PLC0415

        before = await version_of(store, plan, old)
        if ref is not None:
            _, rr_plan = await rr_plan_of(store, plan, ref)
            digest, name = rr_plan.digest or rr_plan.base_digest, rr_plan.rr_plan
        else:
            after = await version_of(store, plan, new)
            digest, name = after.digest, f"version {after.version}"
        texts = [await blueprint(store, plan, each) for each in (before.digest, digest)]
        return before.version, texts[0], name, texts[1]

    async def through(client: BpsClient) -> _Compared:
        before = await _served_version(client, plan, old)
        left_text = await client.blueprint(plan, before.version)
        if branch is None:
            after = await _served_version(client, plan, new)
            name, right_text = f"version {after.version}", await client.blueprint(plan, new)
        else:
            rr_plan = await client.rr_plan(plan, branch)
            name = rr_plan.rr_plan
            if rr_plan.digest is None:
                right_text = await client.blueprint(plan, rr_plan.base_version)
            else:
                right_text = await client.submitted(plan, name)
        return before.version, left_text, name, right_text

    version, left_text, name, right_text = await session_of(context).read(directly, through)

    from bps.cli.comparison import compare_blueprints  # noqa: PLC0415 - heavy

    view = compare_blueprints(left_text, right_text).view(plan, f"version {version}", name)
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
    if follow:
        await _follow(session_of(context), plan, first, output)
        return

    from bps.cli.log_row import COLUMNS, log_row  # noqa: PLC0415

    def directly(store: Store) -> AsyncGenerator[CloudEvent, None]:
        from bps.replay.events import read_events  # noqa: PLC0415 - only this way

        return read_events(store, plan, first)

    async with session_of(context).reading() as backend:
        found = backend.read(directly, lambda client: _served_log(client, plan, first))
        async with aclosing(found) as events:
            await show_stream(events, output, COLUMNS, log_row)


async def _served_log(client: BpsClient, plan: str, first: int) -> AsyncGenerator[CloudEvent, None]:
    try:
        async with aclosing(client.log(plan, after=first - 1)) as events:
            async for event in events:
                yield event
    except InvalidInput as error:
        # A log that ends before the first event asked for has none to show.
        if "events" not in error.facts:
            raise


async def _follow(session: Session, plan: str, first: int, form: Format) -> None:
    def directly(store: Store) -> AsyncGenerator[CloudEvent, None]:
        from bps.replay.events import follow_events  # noqa: PLC0415 - only this way

        return follow_events(store, plan, first)

    async with session.reading() as backend:
        found = backend.read(directly, lambda client: client.events(plan, after=first - 1))
        async with aclosing(found) as events:
            async for event in events:
                with printing():
                    sys.stdout.write(event_line(event, form) + "\n")


def event_line(event: CloudEvent, form: Format) -> str:
    """One event as one line: a row, or JSON; in YAML, which JSON is, a document of its own."""
    if form is Format.TABLE:
        from bps.cli.log_row import COLUMNS, log_row  # noqa: PLC0415

        row = log_row(event)
        return "  ".join(cell(row[name]) for name in COLUMNS)
    import orjson  # noqa: PLC0415 - only where used

    start_of_document = "--- " if form is Format.YAML else ""
    return start_of_document + orjson.dumps(event.model_dump(mode="json")).decode()


async def _served_version(client: BpsClient, plan: str, version: int | None) -> Version:
    """The version from the service; the canonical one as etcd has it now."""
    if version is None:
        return await client.canonical(plan, fresh=True)
    return await client.version(plan, version)
