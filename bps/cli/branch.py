"""`bps branch ...`."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bps.cli.backend import Steps, Write
from bps.cli.blueprint_file import checked_blueprint, checked_fork
from bps.cli.json_file import read_json
from bps.cli.options import BranchArg, OpId, Output, PlanArg, Reason, Standalone
from bps.cli.output import Format, note, show
from bps.cli.session import command, session_of
from bps.core import ids
from bps.core.errors import BpsError, InvalidInput
from bps.core.text import free_text, needed_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bps.api.views import BranchView
    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.plans.model import RRPlan
    from bps.plans.results import BranchResult
    from bps.writepath.command import Command, Outcome

    Execute = Callable[[Command[Any]], Awaitable[Outcome[Any]]]

app = typer.Typer(help="Open, submit, fail and rebase branches.", no_args_is_help=True)

_COUNTER = re.compile(r"0|[1-9][0-9]{0,18}")


@app.command("open")
@command
async def open_(
    context: typer.Context,
    plan: PlanArg,
    trace_id: Annotated[str, typer.Option(help="Trace that reports the root cause.")],
    fingerprint: Annotated[
        str | None, typer.Option(help="Root cause; or the three options that it is derived from.")
    ] = None,
    component: Annotated[str | None, typer.Option(help="To derive the fingerprint.")] = None,
    failure_class: Annotated[str | None, typer.Option(help="To derive the fingerprint.")] = None,
    location: Annotated[str | None, typer.Option(help="To derive the fingerprint.")] = None,
    summary: Annotated[str, typer.Option(help="What went wrong.")] = "",
    parent: Annotated[str | None, typer.Option(help="RR-plan that this regressed in.")] = None,
    clock_file: Annotated[
        Path | None, typer.Option(help="The reporter's vector clock, JSON {actor: counter}.")
    ] = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Open a branch for a root cause, or join the one that is open for it."""
    plan, trace_id = ids.plan_id(plan), ids.label(trace_id, "trace id")
    parts = (component, failure_class, location)
    if fingerprint is not None and any(part is not None for part in parts):
        msg = "Give --fingerprint, or --component, --failure-class and --location; not both."
        raise InvalidInput(msg, field="fingerprint")
    if fingerprint is None:
        if component is None or failure_class is None or location is None:
            msg = "Give --fingerprint, or all of --component, --failure-class and --location."
            raise InvalidInput(msg, field="fingerprint")
        fingerprint = ids.fingerprint_of(
            ids.label(component, "component"),
            ids.label(failure_class, "failure class"),
            ids.label(location, "location"),
        )
    fingerprint = ids.label(fingerprint, "fingerprint")
    parent_rr = None if parent is None else ids.BranchRef.parse(plan, parent)
    summary = free_text(summary, "summary")
    clock = None if clock_file is None else _clock(clock_file)

    def directly(principal: str, operation: str) -> Command[Any]:
        from bps.plans.branches import OpenBranch  # noqa: PLC0415 - only this way

        return OpenBranch(
            principal, operation, plan, trace_id, fingerprint, summary, parent_rr, clock
        )

    write = Write(
        directly,
        lambda client, operation: client.open_branch(
            plan,
            trace_id=trace_id,
            fingerprint=fingerprint,
            summary=summary,
            parent=parent,
            clock=clock,
            op_id=operation,
        ),
        plan,
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command()
@command
async def submit(
    context: typer.Context,
    plan: PlanArg,
    branch: BranchArg,
    blueprint: Annotated[
        Path | None,
        typer.Argument(
            help="The repaired blueprint, - for standard input; default: the workspace's fork, "
            "for which BRANCH is an RR-plan's full id.",
            metavar="BLUEPRINT",
        ),
    ] = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Submit the repaired blueprint of an open RR-plan; it has then SUCCEEDED."""
    plan = ids.plan_id(plan)
    ref = ids.BranchRef.parse(plan, branch)
    session = session_of(context)
    if blueprint is None:
        content = checked_fork(session.need_workspace(), branch)
    else:
        content = checked_blueprint(blueprint)

    forks: list[RRPlan] = []

    async def directly(store: Store, execute: Execute, principal: str, op: str) -> Outcome[Any]:
        from bps.plans.blob import pack  # noqa: PLC0415 - only this way
        from bps.plans.branches import SubmitBranch  # noqa: PLC0415
        from bps.plans.read import rr_plan_of  # noqa: PLC0415

        done = await execute(SubmitBranch(principal, op, plan, ref, pack(content)))
        with suppress(BpsError):
            named = ids.BranchRef.parse(plan, done.result.rr_plan)
            forks.append((await rr_plan_of(store, plan, named))[1])
        return done

    async def through(client: BpsClient, op: str) -> Outcome[BranchResult]:
        done = await client.submit_branch(plan, branch, content, op_id=op)
        with suppress(BpsError):
            forks.append(await client.rr_plan(plan, done.result.rr_plan))
        return done

    write: Write[BranchResult] = Write(Steps(directly), through, plan)
    await session.write(write, form=output, standalone=standalone, op_id=op_id)
    for each in forks:
        if each.digest == each.base_digest:
            note(
                f"warning: {each.rr_plan} was submitted as it was forked from version "
                f"{each.base_version}: there is nothing in it to publish"
            )
            note(f"next: if it is not what you meant, `bps branch rebase {plan} {each.rr_plan!r}`")


@app.command()
@command
async def fail(
    context: typer.Context,
    plan: PlanArg,
    branch: BranchArg,
    reason: Reason,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Give an RR-plan up; it and its live descendants become obsolete."""
    plan = ids.plan_id(plan)
    ref = ids.BranchRef.parse(plan, branch)
    reason = needed_text(reason, "reason")

    def directly(principal: str, operation: str) -> Command[Any]:
        from bps.plans.branches import FailBranch  # noqa: PLC0415 - only this way

        return FailBranch(principal, operation, plan, ref, reason)

    write = Write(
        directly,
        lambda client, operation: client.fail_branch(plan, branch, reason, op_id=operation),
        plan,
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command()
@command
async def rebase(
    context: typer.Context,
    plan: PlanArg,
    branch: BranchArg,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Open a branch's next revision on today's canonical version; the one before is superseded."""
    plan = ids.plan_id(plan)
    ref = ids.BranchRef.parse(plan, branch)

    def directly(principal: str, operation: str) -> Command[Any]:
        from bps.plans.branches import RebaseBranch  # noqa: PLC0415 - only this way

        return RebaseBranch(principal, operation, plan, ref)

    write = Write(
        directly,
        lambda client, operation: client.rebase_branch(plan, branch, op_id=operation),
        plan,
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command("show")
@command
async def show_(
    context: typer.Context, plan: PlanArg, branch: BranchArg, output: Output = Format.TABLE
) -> None:
    """Show an RR-plan: the newest of a branch, or the one whose id is given."""
    plan = ids.plan_id(plan)
    ref = ids.BranchRef.parse(plan, branch)

    async def directly(store: Store) -> RRPlan:
        from bps.plans.read import rr_plan_of  # noqa: PLC0415 - only this way

        return (await rr_plan_of(store, plan, ref))[1]

    found = await session_of(context).read(directly, lambda client: client.rr_plan(plan, branch))
    show(found, output)


@app.command("list")
@command
async def list_(context: typer.Context, plan: PlanArg, output: Output = Format.TABLE) -> None:
    """List a plan's branches with their newest RR-plans."""
    plan = ids.plan_id(plan)

    async def directly(store: Store) -> list[BranchView]:
        from bps.api.views import BranchView  # noqa: PLC0415
        from bps.plans.read import branches_of  # noqa: PLC0415
        from bps.review.open import review_of_waiting  # noqa: PLC0415

        found = await branches_of(store, plan)
        review = await review_of_waiting(store, plan, (rr_plan for _, rr_plan in found))
        return [BranchView.of(branch, rr_plan, review) for branch, rr_plan in found]

    async def through(client: BpsClient) -> list[BranchView]:
        return [each async for each in client.branches(plan)]

    rows = await session_of(context).read(directly, through)
    show(rows, output, ("rr_plan", "state", "in_review", "base_version", "fingerprint", "trace_id"))


def _clock(path: Path) -> dict[str, int]:
    clock = read_json(path, "The vector clock", "clock")
    if not isinstance(clock, dict):
        raise InvalidInput("The vector clock is not a JSON object.", field="clock")
    checked = {}
    for actor, counter in clock.items():
        name = actor if actor == ids.CANONICAL_ACTOR else ids.branch_id(actor)
        checked[name] = _counter(counter)
    return checked


def _counter(value: object) -> int:
    """A counter as a JSON number, or as the decimal string that `-o json` prints."""
    if isinstance(value, str) and _COUNTER.fullmatch(value):
        value = int(value)
    if type(value) is not int or not 0 <= value < 2**63:
        raise InvalidInput("A counter of the vector clock is not a whole number.", field="clock")
    return value
