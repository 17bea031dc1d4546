"""`bps keys ...`: who may sign, and how the holders of the registry approve a change of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.backend import Write
from bps.cli.durations import seconds
from bps.cli.json_file import read_json
from bps.cli.key_files import approvals_of, envelopes_in, private_key_in, public_key_in
from bps.cli.options import OpId, Output, Standalone
from bps.cli.output import Format, note, show
from bps.cli.session import command, session_of
from bps.core import ids
from bps.core.errors import InvalidInput
from bps.keyring.model import Purpose

if TYPE_CHECKING:
    from bps.api.keys import KeyView
    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.keyring.model import KeyResult, KeyStatement
    from bps.keyring.public_key import PublicKey

app = typer.Typer(
    help="Register, rotate and revoke Ed25519 keys. From three holders on, a majority of them "
    "approves each change: `bps keys statement`, then each `bps keys sign`, then the change with "
    "`--approval` for each.",
    no_args_is_help=True,
)

_COLUMNS = ("key_id", "holder", "purposes", "state", "comment")
_DAY_S = 86_400

KeyArg = Annotated[
    str, typer.Argument(help="A key's id, as `bps keys list` shows it.", metavar="ID")
]
PublicKeyFile = Annotated[
    Path,
    typer.Argument(help="A line of OpenSSH, PEM or base64; - reads stdin.", metavar="PUBLIC_KEY"),
]
Approvals = Annotated[
    list[Path] | None,
    typer.Option("--approval", help="A file made by `bps keys sign`; repeatable."),
]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="Holds the private key's passphrase; else you are asked.")
]
DefaultJson = Annotated[
    Format | None, typer.Option("--output", "-o", help="How to print the data; default: json.")
]
"""JSON, as files are made of it; errors are JSON only where that was said."""
Comment = Annotated[str, typer.Option(help="One line for people; default: the key's own.")]


@app.command()
@command
async def generate(
    file: Annotated[Path, typer.Argument(help="The new file; it must not exist.", metavar="FILE")],
    output: Output = Format.TABLE,
) -> None:
    """Make a private key in a new file of mode 0600, and print the public one."""
    from bps.keyring.private_key import make_private_key  # noqa: PLC0415 - heavy

    _show_public(make_private_key(file).public, output)


@app.command()
@command
async def public(
    file: Annotated[
        Path, typer.Argument(help="A private key, such as a sidecar's.", metavar="FILE")
    ],
    passphrase_file: PassphraseFile = None,
    output: Output = Format.TABLE,
) -> None:
    """Print the public key of a private key's file. Needs no service and no store."""
    _show_public(private_key_in(file, passphrase_file).public, output)


@app.command()
@command
async def add(
    context: typer.Context,
    file: PublicKeyFile,
    purposes: Annotated[list[Purpose], typer.Option("--purpose", help="What it may sign.")],
    holder: Annotated[str, typer.Option(help="Who holds the private key.")],
    comment: Comment = "",
    approvals: Approvals = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Register a public key."""
    holder = ids.principal(holder)
    key, approved = public_key_in(file), envelopes_in(approvals)

    from bps.api.keys import checked_comment, distinct_purposes  # noqa: PLC0415 - heavy
    from bps.keyring.change import AddKey  # noqa: PLC0415

    comment, chosen = checked_comment(comment, key), distinct_purposes(purposes)
    counted = approvals_of(approved)
    write: Write[KeyResult] = Write(
        command=lambda principal, operation: AddKey(
            principal, operation, key, holder, chosen, comment, counted
        ),
        request=lambda client, operation: client.add_key(
            key.text,
            holder=holder,
            purposes=chosen,
            comment=comment,
            approvals=approved,
            op_id=operation,
        ),
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command("list")
@command
async def list_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List all keys, the revoked ones too."""
    show(await session_of(context).read(_of_store, _of_service), output, _COLUMNS)


@app.command()
@command
async def rotate(
    context: typer.Context,
    key_id: KeyArg,
    file: PublicKeyFile,
    comment: Comment = "",
    approvals: Approvals = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Put a new key in the place of one, which is revoked; holder and purposes stay."""
    key, approved = public_key_in(file), envelopes_in(approvals)

    from bps.api.keys import checked_comment  # noqa: PLC0415 - heavy
    from bps.keyring.change import RotateKey  # noqa: PLC0415

    key_id, comment = _key_id(key_id), checked_comment(comment, key)
    counted = approvals_of(approved)
    write: Write[KeyResult] = Write(
        command=lambda principal, operation: RotateKey(
            principal, operation, key_id, key, comment, counted
        ),
        request=lambda client, operation: client.rotate_key(
            key_id, key.text, comment=comment, approvals=approved, op_id=operation
        ),
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command()
@command
async def revoke(
    context: typer.Context,
    key_id: KeyArg,
    approvals: Approvals = None,
    standalone: Standalone = False,
    op_id: OpId = None,
    output: Output = Format.TABLE,
) -> None:
    """Let a key sign nothing any more; what it signed before stays verifiable."""
    key_id, approved = _key_id(key_id), envelopes_in(approvals)

    from bps.keyring.change import RevokeKey  # noqa: PLC0415 - heavy

    counted = approvals_of(approved)
    write: Write[KeyResult] = Write(
        command=lambda principal, operation: RevokeKey(principal, operation, key_id, counted),
        request=lambda client, operation: client.revoke_key(
            key_id, approvals=approved, op_id=operation
        ),
    )
    await session_of(context).write(write, form=output, standalone=standalone, op_id=op_id)


@app.command()
@command
async def statement(
    context: typer.Context,
    action: Annotated[str, typer.Argument(help="add, revoke or rotate.", metavar="ACTION")],
    key_id: Annotated[
        str | None, typer.Option("--key-id", help="The key to revoke or to rotate.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--public-key", help="The new key, to add or to rotate to.")
    ] = None,
    purposes: Annotated[
        list[Purpose] | None, typer.Option("--purpose", help="To add: what it may sign.")
    ] = None,
    holder: Annotated[str | None, typer.Option(help="To add: who holds the private key.")] = None,
    expires_in: Annotated[
        str | None, typer.Option(help="How long approvals are good for, such as 12h; default: 1d.")
    ] = None,
    output: DefaultJson = None,
) -> None:
    """Print, as JSON, what holders sign to approve a change; nothing is written."""
    key = None if file is None else public_key_in(file).text

    from pydantic import ValidationError  # noqa: PLC0415 - heavy

    from bps.api.keys import MAX_EXPIRY_S, StatementRequest, statement_for  # noqa: PLC0415

    try:
        wanted = StatementRequest(
            action=action,  # type: ignore[arg-type]
            key_id=key_id,
            public_key=key,
            holder=holder,
            purposes=list(purposes or ()),
            expires_in_s=(
                _DAY_S
                if expires_in is None
                else seconds(expires_in, "expiry", longest_s=MAX_EXPIRY_S)
            ),
        )
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InvalidInput(f"The statement's {where} is not right.", field=where) from None

    async def directly(store: Store) -> KeyStatement:
        from bps.clock import SystemClock  # noqa: PLC0415 - only this way
        from bps.keyring.read import read_registry  # noqa: PLC0415

        return statement_for(wanted, await read_registry(store), SystemClock().now_ms())

    async def through(client: BpsClient) -> KeyStatement:
        return await client.key_statement(wanted)

    show(await session_of(context).read(directly, through), output or Format.JSON)


@app.command()
@command
async def sign(
    file: Annotated[
        Path, typer.Argument(help="As `bps keys statement` printed it.", metavar="STATEMENT")
    ],
    key: Annotated[Path, typer.Option("--key", help="Your private key; ~/.ssh/id_ed25519.")],
    passphrase_file: PassphraseFile = None,
    output: DefaultJson = None,
) -> None:
    """Approve a change: print a signed envelope (DSSE). Needs no service and no store."""
    fields = read_json(file, "The statement", "statement")

    from pydantic import ValidationError  # noqa: PLC0415 - heavy

    from bps.api.keys import SignedStatement  # noqa: PLC0415
    from bps.keyring.model import KeyStatement  # noqa: PLC0415
    from bps.keyring.statement import approve  # noqa: PLC0415

    try:
        found = KeyStatement.model_validate(fields)
    except ValidationError:
        raise InvalidInput("The file holds no key statement.", field="statement") from None
    signer = private_key_in(key, passphrase_file)
    note(f"signed by {signer.public.key_id}: {found.action} key {found.key_id}")
    view = SignedStatement.model_validate(approve(found.encode(), signer))
    show(view, output or Format.JSON)


def _show_public(key: PublicKey, output: Format) -> None:
    from bps.api.keys import GeneratedKey  # noqa: PLC0415 - heavy

    view = GeneratedKey(key_id=key.key_id, ssh_fingerprint=key.fingerprint, public_key=key.text)
    show(view, output)


def _key_id(text: str) -> str:
    from bps.api.keys import key_id_text  # noqa: PLC0415 - heavy

    return key_id_text(text)


async def _of_store(store: Store) -> list[KeyView]:
    from bps.api.keys import key_view_rows  # noqa: PLC0415 - only this way
    from bps.keyring.read import all_keys  # noqa: PLC0415

    return key_view_rows(await all_keys(store))


async def _of_service(client: BpsClient) -> list[KeyView]:
    return [row async for row in client.keys()]  # noqa: SIM118 - no mapping
