"""`bps init`, `bps sync`, `bps doctor`, `bps explain`, `bps demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bps.bootstrap import check_members, lead
from bps.cli.options import OpId, Output, Standalone
from bps.cli.output import Format, note, show
from bps.cli.session import command, require_standalone, session_of
from bps.core import ids, keys
from bps.core.error_catalogue import EXIT_UNAVAILABLE, catalogue
from bps.core.errors import BpsError, InvalidInput, WorkspaceConflict

if TYPE_CHECKING:
    from bps.cli.views import CheckView
    from bps.core.ports import Store

_QUOTA_WARNING_BYTES = 8 * 2**30 * 8 // 10


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

    import uuid  # noqa: PLC0415

    from bps.policy.initialise import Initialise  # noqa: PLC0415

    operation = ids.operation_id(op_id or str(uuid.uuid4()))
    async with (
        session.store() as store,
        lead(store, session.settings, initialise=False) as write_path,
    ):
        outcome = await write_path.execute(Initialise(who, operation))
    if outcome.how != "committed":
        note(f"{outcome.how}: {outcome.why}")
    show(outcome.result, output)


@command
async def sync(
    context: typer.Context,
    plans: Annotated[list[str] | None, typer.Argument(help="Default: all plans.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Rebuild workspace files from the store; edited files are kept, exit 1."""
    chosen = [ids.plan_id(plan) for plan in plans or ()]
    session = session_of(context)
    root = session.need_workspace()

    from bps.cli.views import SyncView  # noqa: PLC0415
    from bps.plans.read import list_plans  # noqa: PLC0415
    from bps.workspace.sync import sync as sync_plan  # noqa: PLC0415

    views = []
    async with session.store() as store:
        targets = chosen or [plan.plan async for plan in list_plans(store)]
        for plan in targets:
            report = await sync_plan(store, root, plan)
            views.append(
                SyncView(
                    plan=plan,
                    written=[str(path) for path in report.written],
                    unchanged=len(report.unchanged),
                    conflicts=[
                        {"edited": str(each.edited), "beside": str(each.beside)}
                        for each in report.conflicts
                    ],
                )
            )
    show(views, output)
    edited = [conflict["edited"] for view in views for conflict in view.conflicts]
    if edited:
        msg = f"{len(edited)} file(s) hold content the store does not know: {', '.join(edited)}."
        raise WorkspaceConflict(msg, files=list(edited))


@command
async def doctor(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Check the store and this set-up; exit 75 where the store does not answer."""
    session = session_of(context)
    async with session.store() as store:
        checks = await _checks(store, session.settings.endpoints)
        try:
            await check_members(store, session.settings)
        except BpsError as error:
            checks.append(_check("etcd version", ok=False, detail=error.message, action="Upgrade."))
    show(checks, output)
    if not all(check.ok for check in checks):
        raise typer.Exit(EXIT_UNAVAILABLE)


def _check(name: str, *, ok: bool, detail: str, action: str = "") -> CheckView:
    from bps.cli.views import CheckView  # noqa: PLC0415

    return CheckView(check=name, ok=ok, detail=detail, next_action="" if ok else action)


async def _checks(store: Store, endpoints: tuple[str, ...]) -> list[CheckView]:
    from bps.core.ports import Key  # noqa: PLC0415
    from bps.leadership.election import Holder  # noqa: PLC0415
    from bps.policy.model import Policy  # noqa: PLC0415

    members = await store.status()
    expected = len(endpoints) or 1
    checks = [
        _check(
            "members",
            ok=len(members) == expected,
            detail=f"{len(members)} of {expected} answer",
            action="Start the members that do not answer.",
        )
    ]
    for member in members:
        healthy = not member.alarms and bool(member.leader_id)
        detail = f"etcd {member.version}, {member.db_size_bytes} bytes"
        detail += f", alarms {', '.join(member.alarms)}" if member.alarms else ""
        detail += "" if member.leader_id else ", no leader"
        detail += f", known defects: {'; '.join(member.defects)}" if member.defects else ""
        checks.append(
            _check(member.endpoint, ok=healthy, detail=detail, action="See its alarms or quorum.")
        )
        if member.db_size_bytes > _QUOTA_WARNING_BYTES:
            detail = "over 80 % of an 8 GiB quota"
            checks.append(_check("space", ok=False, detail=detail, action="Compact, defragment."))
    try:
        wanted = [Key(keys.SCHEMA), Key(keys.POLICY_CURRENT), Key(keys.LEADER_HOLDER)]
        schema, policy, holder = (await store.snapshot(wanted)).answers
    except BpsError as error:
        action = "Restore the quorum."
        return [*checks, _check("quorum", ok=False, detail=error.message, action=action)]
    checks.append(_check("quorum", ok=True, detail="a linearizable read works"))
    said = f"policy {Policy.decode(policy[0].value).n}" if policy else "not initialised"
    checks.append(_check("store", ok=bool(schema), detail=said, action="Run `bps init`."))
    leader = Holder.decode(holder[0].value).sidecar if holder else "nobody (nothing is writing)"
    checks.append(_check("leader", ok=True, detail=leader))
    return checks


@command
async def explain(
    code: Annotated[str | None, typer.Argument(help="An error code; default: all.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Say what an error code means and what to do."""
    from bps.cli.views import ExplanationView  # noqa: PLC0415

    rows = catalogue()
    if code is not None and code.upper() not in rows:
        raise InvalidInput(f"{code[:60]!a} is no error code; `bps explain` lists them.")
    chosen = [row for name, row in rows.items() if code is None or name == code.upper()]
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
    if code is not None and output is Format.TABLE:
        show(views[0], output)
    else:
        show(views, output, ("code", "exit_code", "http_status", "meaning"))
