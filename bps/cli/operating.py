"""`bps init`, `bps sync`, `bps doctor`, `bps explain`, `bps demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bps.bootstrap import lead
from bps.cli.act import Act
from bps.cli.options import OpId, Output, Standalone, chosen_plans
from bps.cli.output import Format, note, show, show_plain
from bps.cli.session import command, operation_of, require_standalone, session_of
from bps.core import ids
from bps.core.error_catalogue import EXIT_UNAVAILABLE, catalogue
from bps.core.errors import InvalidInput, WorkspaceConflict

_SAMPLES = Path(__file__).parents[2] / "docs" / "samples"


@command
async def init(
    context: typer.Context,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Prepare an empty store: schema and default policy. Run again, it changes nothing."""
    require_standalone(standalone=standalone)
    session = session_of(context)
    who = ids.principal(session.principal)

    from bps.policy.initialise import Initialise, Initialised  # noqa: PLC0415

    operation = operation_of(op_id)
    with Act[Initialised](operation, output) as act:
        async with (
            session.store() as store,
            lead(store, session.settings, initialise=False) as write_path,
        ):
            act.outcome = await write_path.execute(Initialise(who, operation))
        act.show()


@command
async def sync(
    context: typer.Context,
    plans: Annotated[list[str] | None, typer.Argument(help="Default: all plans.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Rebuild workspace files from the store; edited files are kept, exit 1."""
    chosen = chosen_plans(plans)
    session = session_of(context)
    root = session.need_workspace()

    from bps.plans.read import list_plans  # noqa: PLC0415
    from bps.workspace.sync import sync as sync_plan  # noqa: PLC0415

    async with session.store() as store:
        targets = chosen or [plan.plan async for plan in list_plans(store)]
        reports = [await sync_plan(store, root, plan) for plan in targets]
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


@command
async def doctor(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Check the store and this set-up; exit 75 where something has failed."""
    session = session_of(context)

    from bps.cli.diagnosis import diagnose  # noqa: PLC0415

    async with session.store() as store:
        checks = await diagnose(store, session.settings)
    show(checks, output)
    if any(check.status == "failed" for check in checks):
        raise typer.Exit(EXIT_UNAVAILABLE)


@command
async def explain(
    code: Annotated[
        str | None, typer.Argument(help="An error code or exit code; default: all.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Say what an error code means and what to do."""
    from bps.api.views import ExplanationView  # noqa: PLC0415

    rows = catalogue()
    wanted = None if code is None else code.upper().replace("-", "_")
    chosen = [row for name, row in rows.items() if wanted in {None, name, str(row.exit_code)}]
    if not chosen:
        msg = f"{(code or '')[:60]!a} is no error code or exit code; `bps explain` lists them."
        raise InvalidInput(msg)
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
