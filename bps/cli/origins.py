"""`bps origins`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bps.cli.options import Output, PlanArg, positive_number
from bps.cli.output import Format, note, show, show_plain
from bps.cli.session import command, session_of
from bps.core import ids

if TYPE_CHECKING:
    from bps.api.origins import OriginsView, OriginView
    from bps.client import BpsClient
    from bps.core.ports import Store

_SHOWN_CHARS = 60


@command
async def origins(
    context: typer.Context,
    plan: PlanArg,
    version: Annotated[
        str | None, typer.Argument(help="A version; default: canonical.", metavar="VERSION")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what in a version came from whom, path by path, as stored with its promotion."""
    plan = ids.plan_id(plan)
    wanted = None if version is None else positive_number(version, "version")

    async def directly(store: Store) -> OriginsView:
        from bps.api.origins import OriginsView  # noqa: PLC0415 - only this way
        from bps.plans.origins import origins_of  # noqa: PLC0415
        from bps.plans.read import blueprint, version_of  # noqa: PLC0415

        found = await version_of(store, plan, wanted)
        named = found.origins
        report = None if named is None else await blueprint(store, plan, named)
        return OriginsView.of(await origins_of(store, found, report))

    async def through(client: BpsClient) -> OriginsView:
        if wanted is not None:
            return await client.origins(plan, wanted)
        return await client.origins(plan, (await client.canonical(plan, fresh=True)).version)

    view = await session_of(context).read(directly, through)
    if output is not Format.TABLE:
        show(view, output)
        return
    for line in _told(view):
        note(line)
    show_plain([_row(each) for each in view.explain], output)


def _told(view: OriginsView) -> Iterator[str]:
    """What stands beside the table."""
    from bps.cli.log_row import decision_text  # noqa: PLC0415 - only for the table

    since = "" if view.base_version is None else f", since version {view.base_version}"
    how = view.how.replace("_", " ")
    yield f"{view.plan}: version {view.version} ({how}){since}"
    yield f"published {view.published_at} by {view.published_by}"
    if view.reason:
        yield f"reason: {view.reason}"
    for each in view.sources:
        yield each.source if each.by is None else f"{each.source} by {each.by}"
    for decided in view.decisions:
        yield f"decided by {decided.by}: {decision_text(decided.model_dump())}"
    if view.how in {"taken_over", "revert"}:
        yield f"what changed: `bps diff {view.plan} {view.base_version} {view.version}`"
    if view.left_out:
        yield (
            f"{view.left_out} more paths changed than the report has room for; "
            f"`bps diff {view.plan} {view.base_version} {view.version}` shows all of them"
        )


def _row(line: OriginView) -> dict[str, str]:
    return {
        "path": line.path or "(all)",
        "change": line.change,
        "from": ", ".join(line.sources) or "-",
        "before": "-" if "before" in line.absent else _shown(line.before, "before" in line.cut),
        "after": "-" if "after" in line.absent else _shown(line.after, "after" in line.cut),
    }


def _shown(value: Any, cut: bool) -> str:  # noqa: ANN401, FBT001 - any JSON value
    if cut:
        return "..." if value is None else f"{value[:_SHOWN_CHARS]}..."
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
