"""`bps token ...`: who may come in to the service.

A lost operator's token is no loss of the store: whoever can reach etcd makes a new one with
`bps token create PRINCIPAL --role operator --standalone`, and revokes the lost one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.backend import Write
from bps.cli.durations import seconds
from bps.cli.options import OpId, Output, Standalone, distinct
from bps.cli.output import Format, show
from bps.cli.session import command, session_of
from bps.clock import SystemClock
from bps.core import ids
from bps.core.errors import InvalidInput
from bps.identity.roles import Role

if TYPE_CHECKING:
    from bps.api.tokens import TokenView
    from bps.client import BpsClient
    from bps.core.ports import Store

app = typer.Typer(
    help="Make, list, rotate and revoke the credentials of the service. A lost operator's token: "
    "make another one with --standalone, which needs etcd and no token.",
    no_args_is_help=True,
)

_COMMENT_MAX_LENGTH = 200
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
    if len(comment) > _COMMENT_MAX_LENGTH or not comment.isprintable():
        msg = f"The comment must be at most {_COMMENT_MAX_LENGTH} printable characters on one line."
        raise InvalidInput(msg, field="comment")

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
        from bps.api.tokens import TokenView  # noqa: PLC0415 - only this way
        from bps.identity.read import all_credentials  # noqa: PLC0415

        now_ms = SystemClock().now_ms()
        return [TokenView.of(credential, now_ms) for credential in await all_credentials(store)]

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
