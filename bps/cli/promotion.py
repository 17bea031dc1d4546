"""`bps promote`, `bps revert`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bps.cli.backend import Write
from bps.cli.options import (
    MAX_BRANCHES,
    OpId,
    Output,
    PlanArg,
    Reason,
    Standalone,
    distinct,
    positive_number,
)
from bps.cli.output import Format, note
from bps.cli.session import command, session_of
from bps.core import ids
from bps.core.text import free_text

if TYPE_CHECKING:
    from bps.promotion.results import PromotionResult
    from bps.writepath.command import Command


@command
async def promote(
    context: typer.Context,
    plan: PlanArg,
    branches: Annotated[
        list[str] | None,
        typer.Argument(help="Branches or RR-plans; default: all that succeeded.", metavar="BRANCH"),
    ] = None,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, but write nothing.")] = False,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Publish successful RR-plans as the next canonical version, atomically."""
    plan = ids.plan_id(plan)
    reason = free_text(reason, "reason")
    named = distinct(branches or (), MAX_BRANCHES, "branches")
    refs = tuple(dict.fromkeys(ids.BranchRef.parse(plan, branch) for branch in named))

    def directly(principal: str, operation: str) -> Command[Any]:
        from bps.promotion.promote import Promote  # noqa: PLC0415 - only this way

        return Promote(principal, operation, plan, refs, reason)

    write: Write[PromotionResult] = Write(
        directly,
        lambda client, operation: client.promote(
            plan, named, reason=reason, dry_run=dry_run, op_id=operation
        ),
        plan,
    )
    outcome = await session_of(context).write(
        write, form=output, standalone=standalone, op_id=op_id, dry_run=dry_run
    )
    if outcome is not None and outcome.result.review is not None:
        _tell_waiting(outcome.result.review, outcome.result)


def _tell_waiting(review: str, result: PromotionResult) -> None:
    """Say on stderr that a part of the promotion waits in `review`; the rest is done: exit 0."""
    from bps.review.refusal import next_of, said_of_waiting  # noqa: PLC0415 - only where used

    note(said_of_waiting(review, result.in_review, result.conflicts))
    note(f"next: {next_of(review)}")


@command
async def revert(
    context: typer.Context,
    plan: PlanArg,
    to: Annotated[
        str,
        typer.Option("--to", metavar="N", help="The version whose content to publish again."),
    ],
    reason: Reason = "",
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Publish an older version's content as the next version; history stays as it is."""
    plan = ids.plan_id(plan)
    version = positive_number(to, "version")
    reason = free_text(reason, "reason")

    def directly(principal: str, operation: str) -> Command[Any]:
        from bps.promotion.revert import Revert  # noqa: PLC0415 - only this way

        return Revert(principal, operation, plan, version, reason)

    write = Write(
        directly,
        lambda client, operation: client.revert(plan, version, reason=reason, op_id=operation),
        plan,
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)
