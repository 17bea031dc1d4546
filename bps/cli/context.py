"""`bps context ...`: services by name, with the credentials for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.options import Output
from bps.cli.output import Format, show
from bps.cli.session import command, read_limited
from bps.core.errors import ConfigError, InvalidInput, NotFound

if TYPE_CHECKING:
    from bps.api.contexts import ContextView
    from bps.cli.contexts import Contexts

app = typer.Typer(
    help="Keep services by name, with the credentials for them.", no_args_is_help=True
)

_MAX_TOKEN_BYTES = 4_096
_COLUMNS = ("name", "current", "url", "token")
Name = Annotated[str, typer.Argument(help="A name of your own, such as laptop.", metavar="NAME")]


@app.command()
@command
async def add(
    name: Name,
    url: Annotated[str, typer.Option(help="The service, such as https://bps.example.org.")],
    token_file: Annotated[
        Path | None,
        typer.Option(help="File that holds the token; read at each command.", metavar="FILE"),
    ] = None,
    token_stdin: Annotated[
        bool,
        typer.Option(
            "--token-stdin",
            help="Read the token, or JSON that has it as `secret`, from stdin; keep it.",
        ),
    ] = False,
    ca_file: Annotated[
        Path | None, typer.Option(help="CA of the service (PEM).", metavar="FILE")
    ] = None,
    cert_file: Annotated[
        Path | None, typer.Option(help="Our certificate (PEM).", metavar="FILE")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="Its private key (PEM).", metavar="FILE")
    ] = None,
    use: Annotated[
        bool, typer.Option("--use", help="Use it from now on; the first one is used anyway.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Add a context. Nothing is sent to the service."""
    from bps.cli.contexts import Context, context_name, load, save  # noqa: PLC0415

    name = context_name(name)
    if token_file is not None and token_stdin:
        raise InvalidInput("Name --token-file or --token-stdin, not both.", field="token_file")
    token = _token_of_stdin() if token_stdin else None

    from bps.client.target import Target  # noqa: PLC0415 - heavy

    target = Target.of(
        url,
        token=token,
        token_file=token_file,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )
    context = Context(
        url=target.url,
        token=token,
        token_file=_absolute(token_file),
        ca_file=_absolute(ca_file),
        cert_file=_absolute(cert_file),
        key_file=_absolute(key_file),
    )
    contexts = load().added(name, context, use=use)
    save(contexts)
    show(_view(name, contexts), output)


@app.command("list")
@command
async def list_(output: Output = Format.TABLE) -> None:
    """List the contexts; their tokens are never shown."""
    from bps.cli.contexts import load  # noqa: PLC0415

    contexts = load()
    show([_view(name, contexts) for name in sorted(contexts.by_name)], output, _COLUMNS)


@app.command()
@command
async def use(name: Name, output: Output = Format.TABLE) -> None:
    """Use a context wherever none is named."""
    from bps.cli.contexts import load, save  # noqa: PLC0415

    contexts = load().using(name)
    save(contexts)
    show(_view(name, contexts), output)


@app.command("show")
@command
async def show_(
    name: Annotated[
        str | None, typer.Argument(help="Default: the one in use.", metavar="NAME")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show a context; its token never is."""
    from bps.cli.contexts import load  # noqa: PLC0415

    contexts = load()
    wanted = contexts.current if name is None else name
    if wanted is None:
        raise NotFound("No context is in use.").advising("Use one: `bps context use NAME`.")
    show(_view(wanted, contexts), output)


@app.command()
@command
async def remove(name: Name, output: Output = Format.TABLE) -> None:
    """Remove a context, and the token kept in it."""
    from bps.cli.contexts import load, save  # noqa: PLC0415

    before = load()
    save(before.without(name))
    show(_view(name, before), output)


def _token_of_stdin() -> str:
    """A token, or the `secret` of what `bps init` or `bps token create` prints with `-o json`."""
    from bps.client.target import checked_token  # noqa: PLC0415 - heavy

    data = read_limited(Path("-"), _MAX_TOKEN_BYTES, "The token")
    try:
        text = data.decode("ascii").strip()
        found = json.loads(text)["secret"] if text.startswith("{") else text
    except (ValueError, RecursionError, LookupError, TypeError):
        found = None
    if not isinstance(found, str):
        raise ConfigError("Standard input holds no token.").advising(
            "Pipe what shows a token into it: `bps token create WHO --role ROLE -o json`, or the "
            "first `bps init --standalone -o json` of a store; a later one makes no token."
        )
    return checked_token(found)


def _absolute(path: Path | None) -> str | None:
    """A context is used from any directory."""
    return None if path is None else str(path.expanduser().absolute())


def _view(name: str, contexts: Contexts) -> ContextView:
    from bps.api.contexts import ContextView  # noqa: PLC0415

    context = contexts.named(name)
    kept = "stored" if context.token else "in a file" if context.token_file else "none"
    return ContextView(
        name=name,
        current=name == contexts.current,
        url=context.url,
        token=kept,
        token_file=context.token_file,
        ca_file=context.ca_file,
        cert_file=context.cert_file,
        key_file=context.key_file,
    )
