"""`bps init`, `bps sync`, `bps explain`, `bps demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.act import Act
from bps.cli.each_plan import each_plan, plans_for, raise_gravest, unreadable_of
from bps.cli.options import OpId, Output, Standalone, chosen_plans
from bps.cli.output import Format, note, show, show_plain
from bps.cli.session import command, operation_of, require_standalone, session_of
from bps.core import ids
from bps.core.error_catalogue import catalogue
from bps.core.errors import InvalidInput, WorkspaceConflict

if TYPE_CHECKING:
    from bps.api.setup import InitView
    from bps.core.errors import BpsError
    from bps.workspace.sync import SyncReport

_SAMPLES = Path(__file__).parents[1] / "demo" / "samples"


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

    from bps.plans.unreadable import unreadable  # noqa: PLC0415 - only where used
    from bps.workspace.sync import sync as sync_plan  # noqa: PLC0415

    async with session.reading() as backend:
        targets, unlisted = await plans_for(backend, chosen)
        reports, failed = await each_plan(
            targets, lambda plan: sync_plan(backend.open_plan, root, plan)
        )
    errors: list[BpsError] = [] if unlisted is None else [unlisted]
    if damaged := unreadable_of(failed):
        errors.append(unreadable("plan", damaged, others="brought up to date"))
    errors += [error for plan, error in failed.items() if plan not in damaged]
    if reports or not errors:
        _show_synchronised(reports, output)
    conflicts = [conflict for report in reports if (conflict := report.conflict())]
    if len(conflicts) == 1:
        errors.append(conflicts[0])
    elif conflicts:
        errors.append(WorkspaceConflict(" ".join(conflict.message for conflict in conflicts)))
    raise_gravest(errors, output)


def _show_synchronised(reports: list[SyncReport], output: Format) -> None:
    if output is not Format.TABLE:
        show(reports, output)
        return
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
