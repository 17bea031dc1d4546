"""`bps policy ...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bps.cli.backend import Write
from bps.cli.json_file import read_json
from bps.cli.options import OpId, Output, Standalone
from bps.cli.output import Format, note, show
from bps.cli.session import command, session_of
from bps.cli.way import Way
from bps.core.errors import InvalidInput, PreconditionRequired
from bps.core.wording import problems_of

if TYPE_CHECKING:
    from bps.api.requests import PolicyRequest
    from bps.api.views import PolicyView
    from bps.client import BpsClient
    from bps.core.ports import Store

app = typer.Typer(help="Show the policy in force, or replace it.", no_args_is_help=True)


@app.command("show")
@command
async def show_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Show the policy in force, with the ETag that `set` asks for."""

    async def directly(store: Store) -> PolicyView:
        from bps.api.views import PolicyView  # noqa: PLC0415 - only where used
        from bps.policy.read import policy_in_force  # noqa: PLC0415 - only this way

        found = (await policy_in_force(store)).in_force
        return PolicyView.of(found.policy, found.etag)

    async def through(client: BpsClient) -> PolicyView:
        from bps.api.views import PolicyView  # noqa: PLC0415 - only where used

        policy, etag = await client.policy()
        return PolicyView.of(policy, etag.strip('"'))

    show(await session_of(context).read(directly, through), output)


@app.command("set")
@command
async def set_(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="The whole policy, as `show -o json` prints it; - reads stdin.", metavar="FILE"
        ),
    ],
    if_match: Annotated[
        str | None,
        typer.Option(help="ETag of the policy to replace, or *; default: the file's `etag`."),
    ] = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Put a whole policy in force as the next version; never over one that you have not seen."""
    wanted, seen = _document(file, if_match)

    from bps.policy.replace import ReplacePolicy  # noqa: PLC0415 - not needed to refuse

    write = Write(
        lambda principal, op: ReplacePolicy(principal, op, wanted.rules, wanted.n, (seen,)),
        lambda client, op: client.replace_policy(wanted, if_match=_header(seen), op_id=op),
    )
    session = session_of(context)
    direct = session.connection.to_write(standalone=standalone) is Way.DIRECT
    if direct:
        from bps.validation.usable import check_usable  # noqa: PLC0415 - the service does it itself

        await check_usable(wanted.validators)
    await session.write(write, form=output, standalone=standalone, op_id=op_id)
    if direct and wanted.validators:
        note("the validators were tried here; a service judges by those installed where it runs")


def _document(file: Path, if_match: str | None) -> tuple[PolicyRequest, str]:
    """What to put in force, and the ETag of what was seen.

    Raises:
        InvalidInput: the file does not hold a whole policy.
        PreconditionRequired: no ETag is given, neither in the file.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - only where used

    from bps.api.requests import PolicyRequest  # noqa: PLC0415 - only where used

    fields: Any = read_json(file, "The policy", "policy")
    if isinstance(fields, dict) and "etag" in fields:
        # As shown: `etag` and `n` are those of the policy that was seen.
        etag = fields.pop("etag")
        fields.pop("n", None)
        if_match = if_match or (etag if isinstance(etag, str) else None)
    if not if_match:
        raise PreconditionRequired("Give --if-match, or a file with the `etag` from `show`.")
    try:
        return PolicyRequest.model_validate(fields), if_match.strip().strip('"')
    except ValidationError as error:
        problems = problems_of(error)
    raise InvalidInput(f"The file is no whole policy: {problems}.", field="policy")


def _header(etag: str) -> str:
    return etag if etag == "*" else f'"{etag}"'
