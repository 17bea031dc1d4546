"""`bps validators ...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bps.cli.json_file import read_json
from bps.cli.options import Output
from bps.cli.output import Format, note, show
from bps.cli.session import Session, command, session_of
from bps.cli.way import Way
from bps.core.error_catalogue import explain
from bps.core.errors import InvalidInput, PluginError

if TYPE_CHECKING:
    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.policy.model import Policy
    from bps.validation.report import Allowed

app = typer.Typer(help="Semantic validators: which are there, do they work.", no_args_is_help=True)

_EXIT_REJECTED = 1
_COLUMNS = ("line", "severity", "validator", "path", "code", "message", "hint")

PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="Take `validators` from this JSON file; default: the policy in force.",
    ),
]


@app.command("list")
@command
async def list_(
    context: typer.Context, policy: PolicyFile = None, output: Output = Format.TABLE
) -> None:
    """List the validators that are installed or that the policy asks for; none is loaded."""
    from bps.api.validation import ValidatorView  # noqa: PLC0415 - only where used
    from bps.validation.registry import installed  # noqa: PLC0415

    wanted = {each.name for each in (await _asked(session_of(context), policy))[0]}
    present = installed()
    rows = [
        ValidatorView(
            name=name,
            version=each.version,
            distribution=each.distribution,
            installed=True,
            allowed=name in wanted,
        )
        for name, entries in present.items()
        for each in entries
    ]
    rows += [
        ValidatorView(name=name, version=None, distribution=None, installed=False, allowed=True)
        for name in wanted - present.keys()
    ]
    rows.sort(key=lambda row: (row.name, row.distribution or ""))
    show(rows, output, ("name", "version", "distribution", "installed", "allowed"))


@app.command("doctor")
@command
async def doctor(
    context: typer.Context, policy: PolicyFile = None, output: Output = Format.TABLE
) -> None:
    """Load each validator that the policy asks for, check its configuration, run it once.

    It is run on a blueprint that holds `title: self-check` alone.
    Exit 2 where a configuration is wrong or a validator does not work.
    """
    from bps.api.validation import ValidatorCheckView  # noqa: PLC0415 - only where used
    from bps.validation.usable import SAMPLE_TEXT, self_check  # noqa: PLC0415

    session = session_of(context)
    allowed, _ = await _asked(session, policy)
    report = await self_check(allowed)
    rows = [ValidatorCheckView.of(run, report) for run in report.runs]
    show(rows, output, ("name", "status", "version", "distribution", "detail", "next_action"))
    if policy is None and session.connection.to_read() is Way.SERVICE:
        note("this is what is installed here; a service judges by what is installed where it runs")
    if rows:
        note(f"each was run once, on a blueprint that holds `{SAMPLE_TEXT.strip()}` alone")
    if any(row.status == "failed" for row in rows):
        raise typer.Exit(explain(PluginError).exit_code)


@app.command("run")
@command
async def run(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="Blueprint file; - reads standard input.", metavar="FILE")
    ],
    base: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The canonical blueprint before; default: none."),
    ] = None,
    policy: PolicyFile = None,
    only: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask this validator alone.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Judge a blueprint as a promotion would; exit 1 where it would be blocked."""
    from bps.cli.blueprint_file import checked_blueprint  # noqa: PLC0415 - only where used

    merged = checked_blueprint(file).decode()
    before = None if base is None else checked_blueprint(base).decode()
    allowed, limits = await _asked(session_of(context), policy)
    if only is not None:
        allowed = [each for each in allowed if each.name == only]
        if not allowed:
            msg = f"The policy does not ask for a validator {only[:60]!a}."
            raise InvalidInput(msg, field="only").advising("`bps validators list` names them.")

    from bps.api.validation import ValidationView  # noqa: PLC0415 - only where used
    from bps.validation.pool import ValidatorPool  # noqa: PLC0415
    from bps.validation.report import CandidateText  # noqa: PLC0415
    from bps.validation.usable import SELF_CHECK_S  # noqa: PLC0415

    async with ValidatorPool() as pool:
        report = await pool.run(CandidateText(before, {}, merged, limits), allowed, SELF_CHECK_S)
    if output is Format.TABLE:
        show(ValidationView.of(report).findings, output, _COLUMNS)
        blocked = "would be blocked" if report.blocking else "would not be blocked"
        ran = len(report.runs)
        note(f"{ran} validator{'' if ran == 1 else 's'}: a promotion {blocked}")
    else:
        show(ValidationView.of(report), output)
    if report.blocking:
        raise typer.Exit(_EXIT_REJECTED)


async def _asked(session: Session, file: Path | None) -> tuple[list[Allowed], dict[str, int]]:
    """The validators to use and the limits they may read: a file's, else those in force.

    Raises:
        InvalidInput: the file does not say which.
        ConfigError: the store was never initialised.
    """
    from bps.validation.usable import allowed_by, limits_of  # noqa: PLC0415 - only where used

    if file is not None:
        return _of_file(file)

    async def directly(store: Store) -> Policy:
        from bps.policy.read import policy_in_force  # noqa: PLC0415 - only this way

        return (await policy_in_force(store)).in_force.policy

    async def through(client: BpsClient) -> Policy:
        return (await client.policy())[0]

    found = await session.read(directly, through)
    return allowed_by(found.validators), limits_of(found)


def _of_file(file: Path) -> tuple[list[Allowed], dict[str, int]]:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - only where used

    from bps.core.wording import problem_of  # noqa: PLC0415
    from bps.policy.validator_use import ValidatorUses  # noqa: PLC0415
    from bps.validation.usable import allowed_by  # noqa: PLC0415

    fields: Any = read_json(file, "The policy", "policy")
    if not isinstance(fields, dict) or "validators" not in fields:
        raise InvalidInput("The policy file has no `validators`.", field="policy")
    try:
        uses = TypeAdapter(ValidatorUses).validate_python(fields["validators"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("validators", *first["loc"])))[:100]
        raise InvalidInput(f"{where!a}: {problem_of(first)[:200]}.", field="policy") from None
    limits = {name: value for name, value in fields.items() if type(value) is int}
    return allowed_by(uses), limits
