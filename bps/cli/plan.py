"""`bps plan ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bps.cli.backend import Write
from bps.cli.blueprint_file import checked_blueprint
from bps.cli.options import File, OpId, Output, PlanArg, Standalone
from bps.cli.output import Format, show
from bps.cli.readable import Readable, readable
from bps.cli.session import command, session_of
from bps.core import ids
from bps.core.text import one_line

if TYPE_CHECKING:
    from bps.api.views import PlanView
    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.plans.model import Plan
    from bps.writepath.command import Command

app = typer.Typer(help="Register and show execution plans.", no_args_is_help=True)


@app.command()
@command
async def register(
    context: typer.Context,
    plan: PlanArg,
    blueprint: File,
    initiative: Annotated[str, typer.Option(help="The initiative it belongs to.")] = "default",
    title: Annotated[str, typer.Option(help="One line for people.")] = "",
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Register a plan and seal it; its blueprint becomes canonical version 1."""
    plan, initiative = ids.plan_id(plan), ids.initiative_id(initiative)
    title = one_line(title, "title")
    content = checked_blueprint(blueprint)

    def directly(principal: str, operation: str) -> Command[Any]:
        from bps.plans.blob import pack  # noqa: PLC0415 - only this way
        from bps.plans.register import RegisterPlan  # noqa: PLC0415

        return RegisterPlan(principal, operation, plan, initiative, title, pack(content))

    write = Write(
        directly,
        lambda client, operation: client.register_plan(
            plan, content, initiative=initiative, title=title, op_id=operation
        ),
        plan,
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command("list")
@command
async def list_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List all plans."""

    async def directly(store: Store) -> Readable[Plan]:
        from bps.plans.read import list_plans  # noqa: PLC0415 - only this way

        return await readable(list_plans(store))

    async def through(client: BpsClient) -> Readable[Plan]:
        return await readable(client.plans())

    plans, why = await session_of(context).read(directly, through)
    show(plans, output, ("plan", "initiative", "title", "status"))
    if why is not None:
        raise why


@app.command("show")
@command
async def show_(context: typer.Context, plan: PlanArg, output: Output = Format.TABLE) -> None:
    """Show a plan, its canonical version, the end of its log and its open review."""
    plan = ids.plan_id(plan)

    async def directly(store: Store) -> PlanView:
        from bps.api.views import PlanView  # noqa: PLC0415 - only this way
        from bps.plans.read import plan_detail  # noqa: PLC0415

        return PlanView.of(await plan_detail(store, plan, with_review=True))

    show(await session_of(context).read(directly, lambda client: client.plan(plan)), output)
