"""`bps token ...`: who may come in to the service.

A lost operator's token is no loss of the store: whoever can reach etcd makes a new one with
`bps token create PRINCIPAL --role operator --standalone`, and revokes the lost one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bps.cli.backend import Steps, Write
from bps.cli.durations import seconds
from bps.cli.options import OpId, Output, Standalone, distinct
from bps.cli.output import Format, show
from bps.cli.session import command, session_of
from bps.clock import SystemClock
from bps.core import ids
from bps.core.text import one_line
from bps.identity.roles import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bps.api.tokens import TokenView
    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.identity.prune import Pruning
    from bps.writepath.command import Command, Outcome

app = typer.Typer(
    help="Make, list, rotate, revoke and prune the credentials of the service. A lost operator's "
    "token: make another one with --standalone, which needs etcd and no token.",
    no_args_is_help=True,
)

_COLUMNS = ("id", "principal", "roles", "kind", "state", "expires_at", "comment")
TokenArg = Annotated[
    str, typer.Argument(help="A credential's id, as `bps token list` shows it.", metavar="ID")
]


@app.command()
@command
async def create(
    context: typer.Context,
    principal: Annotated[str, typer.Argument(help="Who comes in with it.", metavar="PRINCIPAL")],
    roles: Annotated[list[Role], typer.Option("--role", help="What it is for; repeatable.")],
    expires_in: Annotated[
        str | None, typer.Option(help="When it ends, such as 90d or 12h; default: never.")
    ] = None,
    certificate_name: Annotated[
        str | None,
        typer.Option(
            help="Instead of a secret, a name in client certificates: uri:..., dns:... or cn:..."
        ),
    ] = None,
    comment: Annotated[str, typer.Option(help="One line for people.")] = "",
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Make a credential. Its secret is printed this once, and kept nowhere."""
    principal = ids.principal(principal)
    chosen = distinct(roles, len(Role), "roles")
    comment = one_line(comment, "comment")

    from bps.api.issuing import creation, issued  # noqa: PLC0415 - not needed to refuse
    from bps.api.tokens import TokenRequest  # noqa: PLC0415
    from bps.identity.certificates import certificate_name as checked_name  # noqa: PLC0415
    from bps.identity.create import MAX_LIFETIME_S  # noqa: PLC0415
    from bps.identity.token_text import Token  # noqa: PLC0415

    name = None if certificate_name is None else checked_name(certificate_name)
    expires_in_s = (
        None if expires_in is None else seconds(expires_in, "expiry", longest_s=MAX_LIFETIME_S)
    )
    wanted = TokenRequest(
        principal=principal,
        roles=chosen,
        expires_in_s=expires_in_s,
        certificate_name=name,
        comment=comment,
    )
    token = Token.generate()
    write = Write(
        lambda who, operation: creation(wanted, who, operation, token),
        lambda client, operation: client.create_token(
            principal,
            chosen,
            expires_in_s=expires_in_s,
            certificate_name=name,
            comment=comment,
            op_id=operation,
        ),
        view=lambda credential: issued(credential, token, SystemClock().now_ms()),
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command("list")
@command
async def list_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List all credentials, the ended ones too."""

    async def directly(store: Store) -> list[TokenView]:
        from bps.api.tokens import token_rows  # noqa: PLC0415 - only this way
        from bps.identity.read import all_credentials  # noqa: PLC0415

        return token_rows(await all_credentials(store), SystemClock().now_ms())

    async def through(client: BpsClient) -> list[TokenView]:
        return [token async for token in client.tokens()]

    show(await session_of(context).read(directly, through), output, _COLUMNS)


@app.command()
@command
async def rotate(
    context: typer.Context,
    credential: TokenArg,
    grace: Annotated[
        str | None, typer.Option(help="How long the old secret stays valid; default: not at all.")
    ] = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Replace a secret: a new credential, printed this once; the old one ends."""
    from bps.api.issuing import issued, new_secret  # noqa: PLC0415 - heavy
    from bps.identity.credential import credential_id  # noqa: PLC0415
    from bps.identity.end import MAX_GRACE_S, RotateToken  # noqa: PLC0415
    from bps.identity.token_text import Token  # noqa: PLC0415

    old = credential_id(credential)
    grace_s = 0 if grace is None else seconds(grace, "grace", longest_s=MAX_GRACE_S)
    token = Token.generate()
    write = Write(
        lambda who, operation: RotateToken(who, operation, old, new_secret(token), grace_s),
        lambda client, operation: client.rotate_token(old, grace_s=grace_s, op_id=operation),
        view=lambda rotated: issued(rotated.credential, token, SystemClock().now_ms()),
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command()
@command
async def revoke(
    context: typer.Context,
    credential: TokenArg,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """End a credential now. The last valid one of an operator cannot be ended."""
    from bps.api.tokens import TokenView  # noqa: PLC0415 - heavy
    from bps.identity.credential import credential_id  # noqa: PLC0415
    from bps.identity.end import RevokeToken  # noqa: PLC0415

    ended = credential_id(credential)
    write = Write(
        lambda who, operation: RevokeToken(who, operation, ended),
        lambda client, operation: client.revoke_token(ended, op_id=operation),
        view=lambda revoked: TokenView.of(revoked, SystemClock().now_ms()),
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command()
@command
async def prune(
    context: typer.Context,
    older_than: Annotated[str, typer.Option(help="How long ago they ended.")] = "90d",
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Remove the records of credentials that ended long ago; revoked certificate names stay."""
    from bps.identity.create import MAX_LIFETIME_S  # noqa: PLC0415 - heavy
    from bps.identity.prune import prune_all, prune_command  # noqa: PLC0415

    older_than_s = seconds(older_than, "age", longest_s=MAX_LIFETIME_S)

    async def directly(
        store: Store,
        execute: Callable[[Command[Any]], Awaitable[Outcome[Any]]],
        who: str,
        operation: str,
    ) -> Outcome[Pruning]:
        async def step(step_id: str) -> Outcome[Pruning]:
            now_ms = SystemClock().now_ms()
            return await execute(await prune_command(store, who, step_id, older_than_s, now_ms))

        return await prune_all(step, operation)

    async def through(client: BpsClient, operation: str) -> Outcome[Pruning]:
        async def step(step_id: str) -> Outcome[Pruning]:
            return await client.prune_tokens(older_than_s=older_than_s, op_id=step_id)

        return await prune_all(step, operation)

    write = Write(Steps(directly), through)
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)
