"""`bps init`, `bps sync`, `bps explain`, `bps demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.act import Act
from bps.cli.options import OpId, Output, Standalone, chosen_plans
from bps.cli.output import Format, note, show, show_plain
from bps.cli.session import command, operation_of, require_standalone, session_of
from bps.core import ids
from bps.core.error_catalogue import catalogue
from bps.core.errors import InvalidInput, WorkspaceConflict

if TYPE_CHECKING:
    from bps.api.setup import InitView
    from bps.client import BpsClient
    from bps.core.ports import Store

_SAMPLES = Path(__file__).parents[2] / "docs" / "samples"


@command
async def init(
    context: typer.Context,
    initiative: Annotated[
        str, typer.Option(help="An initiative to make, beside `default`.")
    ] = "default",
    signing_key_file: Annotated[
        str | None,
        typer.Option(
            help="Private key for checkpoints, made if absent; default: in the user's state "
            "directory.",
            envvar="BPS_SIGNING_KEY_FILE",
            metavar="FILE",
        ),
    ] = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Prepare a store: schema, policy, initiative, signing key, first operator token.

    The token is shown this once. Run again, it changes nothing.
    """
    require_standalone(standalone=standalone)
    session = session_of(context)
    who, initiative = session.principal, ids.initiative_id(initiative)
    operation = operation_of(op_id)

    from bps.cli.first_use import FirstSteps  # noqa: PLC0415 - not needed to refuse

    steps = FirstSteps(who, operation, initiative, signing_key_file)
    act: Act[InitView] = Act(operation, output)
    with act:
        async with session.store() as store:
            act.outcome = await steps.take(store, session.settings)
        act.show()


@command
async def sync(
    context: typer.Context,
    plans: Annotated[
        list[str] | None, typer.Argument(help="Default: all plans.", metavar="PLAN")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Rebuild workspace files from the store; edited files are kept, exit 1."""
    chosen = chosen_plans(plans)
    session = session_of(context)
    root = session.need_workspace()

    from bps.workspace.sync import sync as sync_plan  # noqa: PLC0415

    async with session.reading() as backend:
        targets = chosen or await backend.read(_plans_of_store, _plans_of_service)
        reports = [await sync_plan(backend.open_plan, root, plan) for plan in targets]
    if output is Format.TABLE:
        rows = [
            {
                "plan": report.plan,
                "written": len(report.written),
                "unchanged": len(report.unchanged),
                "removed": len(report.removed),
                "conflicts": len(report.conflicts),
            }
            for report in reports
        ]
        show_plain(rows, output)
    else:
        show(reports, output)
    conflicts = [conflict for report in reports if (conflict := report.conflict())]
    if len(conflicts) == 1:
        raise conflicts[0]
    if conflicts:
        raise WorkspaceConflict(" ".join(conflict.message for conflict in conflicts))


async def _plans_of_store(store: Store) -> list[str]:
    from bps.plans.read import list_plans  # noqa: PLC0415 - only this way

    return [plan.plan async for plan in list_plans(store)]


async def _plans_of_service(client: BpsClient) -> list[str]:
    return [plan.plan async for plan in client.plans()]


@command
async def explain(
    code: Annotated[
        str | None, typer.Argument(help="An error code or exit code; default: all.", metavar="CODE")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Say what an error code means and what to do."""
    from bps.api.views import ExplanationView  # noqa: PLC0415

    rows = catalogue()
    wanted = None if code is None else code.upper().replace("-", "_")
    chosen = [row for name, row in rows.items() if wanted in {None, name, str(row.exit_code)}]
    if not chosen:
        msg = f"{(code or '')[:60]!a} is no error code or exit code."
        raise InvalidInput(msg, field="code").advising("`bps explain` lists all of them.")
    views = [
        ExplanationView(
            code=row.code,
            meaning=row.meaning,
            retryable=row.retryable,
            http_status=row.http_status,
            exit_code=row.exit_code,
            problem_type=row.problem_type,
            next_action=row.next_action,
        )
        for row in chosen
    ]
    if len(views) == 1 and output is Format.TABLE:
        show(views[0], output)
    else:
        show(views, output, ("code", "exit_code", "http_status", "meaning"))


@command
async def demo(
    samples: Annotated[Path, typer.Option(help="Directory of the sample blueprints.")] = _SAMPLES,
) -> None:
    """Run the main job on sample blueprints and a temporary etcd; every line is checked."""
    from bps.demo.story import run_demo  # noqa: PLC0415

    claims = await run_demo(samples)
    note(f"all {claims} claims were checked and hold")
