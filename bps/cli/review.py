"""`bps review ...`: promotions that wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bps.cli.backend import Steps, Write
from bps.cli.log_row import counted
from bps.cli.open_reviews import COLUMNS, show_open
from bps.cli.options import OpId, Output, Reason, Standalone, distinct
from bps.cli.output import Format, note, show, show_stream
from bps.cli.review_options import IfMatchOption, ReviewArg, SetOption, typed
from bps.cli.review_text import keeps_open, list_row, note_of_record, show_sheet
from bps.cli.session import command, session_of
from bps.core import ids
from bps.core.errors import InvalidInput
from bps.core.text import free_text, needed_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.plans.reviews import Review
    from bps.promotion.results import PromotionResult
    from bps.review.results import ReviewResult
    from bps.review.sheet import ReviewSheet
    from bps.writepath.command import Command, Outcome

    Execute = Callable[[Command[Any]], Awaitable[Outcome[Any]]]

app = typer.Typer(help="Decide what waits for a person.", no_args_is_help=True)

MAX_BRANCHES = 24


@app.command("list")
@command
async def list_(
    context: typer.Context,
    plan: Annotated[
        str | None,
        typer.Argument(help="Plan id; default: what is open of all plans.", metavar="PLAN"),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """List a plan's reviews, open and closed; without PLAN the open ones of all plans."""
    if plan is None:
        await show_open(session_of(context), output)
        return
    plan = ids.plan_id(plan)

    def directly(store: Store) -> AsyncGenerator[Review, None]:
        from bps.review.read import all_reviews  # noqa: PLC0415 - only this way

        return all_reviews(store, plan)

    async with session_of(context).reading() as backend:
        found = backend.read(directly, lambda client: client.reviews(plan))
        await show_stream(found, output, COLUMNS, list_row)


@app.command("show")
@command
async def show_(
    context: typer.Context,
    review: ReviewArg,
    result: Annotated[
        bool,
        typer.Option(
            "--result", help="Print what completing would publish; what is undecided has markers."
        ),
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show every conflict with what each version holds, and who changed it."""
    named = ids.ReviewId.parse(review)
    if result and output is not Format.TABLE:
        msg = "The result is printed as it is; in JSON and YAML it is `text`, or `marked`."
        raise InvalidInput(msg, field="output").advising("Leave out --result, or --output.")

    async def directly(store: Store) -> ReviewSheet:
        from bps.bootstrap import review_sheet  # noqa: PLC0415 - only this way

        return await review_sheet(store, named)

    sheet = await session_of(context).read(directly, lambda client: client.review(review))
    if result:
        from bps.cli.review_result import show_result  # noqa: PLC0415 - only then

        show_result(sheet)
    elif output is Format.TABLE:
        show_sheet(sheet)
    else:
        show(sheet, output)


@app.command("claim")
@command
async def claim(
    context: typer.Context,
    review: ReviewArg,
    minutes: Annotated[
        int, typer.Option(min=1, max=15, help="The claim ends by itself after so many.")
    ] = 15,
    hold: Annotated[
        bool, typer.Option("--hold", help="Let promotions of the plan wait meanwhile; once.")
    ] = False,
    if_match: IfMatchOption = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Work on a review alone, so that nobody decides the same thing beside you."""
    named = ids.ReviewId.parse(review)
    seen = _etag(if_match)

    def directly(principal: str, op: str) -> Command[Any]:
        from bps.review.claim import ClaimReview  # noqa: PLC0415 - only this way

        return ClaimReview(principal, op, named, minutes * 60_000, hold, seen)

    write: Write[ReviewResult] = Write(
        directly,
        lambda client, op: client.claim_review(
            review, minutes=minutes, hold=hold, if_match=_header(seen), op_id=op
        ),
    )
    told = await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)
    note_of_record(told)


@app.command("release")
@command
async def release(
    context: typer.Context,
    review: ReviewArg,
    if_match: IfMatchOption = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """End a claim before its time; supervisors and operators can end another's."""
    named = ids.ReviewId.parse(review)
    seen = _etag(if_match)

    def directly(principal: str, op: str) -> Command[Any]:
        from bps.review.release import ReleaseReview  # noqa: PLC0415 - only this way

        return ReleaseReview(principal, op, named, of_others=True, if_match=seen)

    write: Write[ReviewResult] = Write(
        # Acts on the store itself need no role.
        directly,
        lambda client, op: client.release_review(review, if_match=_header(seen), op_id=op),
    )
    told = await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)
    note_of_record(told)


@app.command("resolve")
@command
async def resolve(
    context: typer.Context,
    review: ReviewArg,
    path: Annotated[
        str | None, typer.Option(help="The conflict's JSON Pointer, as `show` prints it.")
    ] = None,
    conflict: Annotated[
        str | None, typer.Option(help="The conflict's id, where a place has several.")
    ] = None,
    take: Annotated[
        str | None, typer.Option(help="base, canonical, or an RR-plan or branch of the conflict.")
    ] = None,
    set_: SetOption = None,
    complete_too: Annotated[
        bool, typer.Option("--complete", help="Complete the review if nothing is left to decide.")
    ] = False,
    if_match: IfMatchOption = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Decide one conflict; the answer says what is left, and what validators say of the result."""
    named = ids.ReviewId.parse(review)
    seen = _etag(if_match)
    if (path is None) == (conflict is None):
        raise InvalidInput("Give either --path or --conflict.", field="path")
    if (take is None) == (set_ is None):
        raise InvalidInput("Give either --take or --set.", field="take")
    said = {"path": path, "conflict": conflict, "take": take, "text": typed(set_)}
    given = {name: value for name, value in said.items() if value is not None}

    async def directly(_: Store, execute: Execute, principal: str, op: str) -> Outcome[Any]:
        from bps.promotion.complete import CompleteReview  # noqa: PLC0415 - only this way
        from bps.review.resolve import Choice, ResolveReview  # noqa: PLC0415

        choice = Choice(**said)
        resolved = await execute(ResolveReview(principal, op, named, (choice,), seen))
        if not complete_too or keeps_open(resolved.result):
            return resolved
        return await execute(CompleteReview(principal, f"{op}.complete", named))

    async def through(client: BpsClient, op: str) -> Outcome[Any]:
        resolved = await client.resolve_review(review, [given], if_match=_header(seen), op_id=op)
        if not complete_too or keeps_open(resolved.result):
            return resolved
        return await client.complete_review(review, op_id=f"{op}.complete")

    write: Write[Any] = Write(Steps(directly), through, named.plan if complete_too else None)
    session = session_of(context)
    outcome = await session.write(write, form=output, standalone=standalone, op_id=op_id)
    if complete_too and outcome is not None and getattr(outcome.result, "act", None) is not None:
        left = outcome.result
        conflicts = counted(left.open_total, "conflict")
        findings = counted(left.findings_total, "finding")
        note(f"{review} is not complete; left are {conflicts} and {findings}")
        raise typer.Exit(1)


@app.command("complete")
@command
async def complete(
    context: typer.Context,
    review: ReviewArg,
    reason: Reason = "",
    if_match: IfMatchOption = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Publish what waits in the review, as decided there, atomically."""
    named = ids.ReviewId.parse(review)
    seen = _etag(if_match)
    reason = free_text(reason, "reason")

    def directly(principal: str, op: str) -> Command[Any]:
        from bps.promotion.complete import CompleteReview  # noqa: PLC0415 - only this way

        return CompleteReview(principal, op, named, reason, seen)

    write: Write[PromotionResult] = Write(
        directly,
        lambda client, op: client.complete_review(
            review, reason=reason, if_match=_header(seen), op_id=op
        ),
        named.plan,
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command("reject")
@command
async def reject(
    context: typer.Context,
    review: ReviewArg,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the log.")],
    branches: Annotated[
        list[str] | None,
        typer.Argument(help="Branches or RR-plans; default: all that wait.", metavar="BRANCH"),
    ] = None,
    if_match: IfMatchOption = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Refuse RR-plans for good; they and what was opened inside of them become obsolete."""
    named = ids.ReviewId.parse(review)
    seen = _etag(if_match)
    reason = needed_text(reason, "reason")
    every = distinct(branches or (), MAX_BRANCHES, "branches")
    refs = tuple(dict.fromkeys(ids.BranchRef.parse(named.plan, each) for each in every))

    def directly(principal: str, op: str) -> Command[Any]:
        from bps.review.reject import RejectReview  # noqa: PLC0415 - only this way

        return RejectReview(principal, op, named, reason, refs, seen)

    write: Write[ReviewResult] = Write(
        directly,
        lambda client, op: client.reject_review(
            review, reason, every, if_match=_header(seen), op_id=op
        ),
    )
    told = await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)
    note_of_record(told)


def _etag(if_match: str | None) -> tuple[str, ...] | None:
    return None if if_match is None else (if_match.strip().strip('"'),)


def _header(seen: tuple[str, ...] | None) -> str | None:
    if seen is None:
        return None
    return seen[0] if seen[0] == "*" else f'"{seen[0]}"'
