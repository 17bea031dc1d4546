"""The root command: it imports a subcommand when called, and words what Typer refuses."""

from __future__ import annotations

from typing import Any, cast

import typer
from typer.core import TyperGroup

from bps.cli.commands import Commands

_OF_PYDANTIC = "Value error, "
"""How pydantic, by which Typer reads values, begins a reason that is not its own."""

_STANDALONE = (
    "No such option here: --standalone. It goes behind a command that writes; "
    "for one that reads, BPS_STANDALONE=1 means etcd itself."
)


class RootGroup(TyperGroup):
    """`bps`: a root option that a subcommand does not know is named with its place."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - what Typer knows of a group
        super().__init__(**attributes)
        self.commands = cast("Any", Commands())

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as `invoke`
        """As any group; a refused value of a root option is told in plain words."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            _in_plain_words(error)
            raise

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer keeps click's types private
        """The same for a subcommand; an unknown option that is ours is named with its place."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            _in_plain_words(error)
            self._explain(ctx, error)
            raise

    def _explain(self, ctx: typer.Context, error: Any) -> None:  # noqa: ANN401 - as above
        # Of all exceptions only that of an unknown option has this attribute.
        named = getattr(error, "option_name", None)
        own: Any = next((each for each in self.params if named in each.opts), None)
        if own is None or error.ctx is None:
            return
        name = ctx.command_path
        called = error.ctx.command_path.removeprefix(f"{name} ")
        value = "" if own.is_flag else " VALUE"
        error.message = (
            f"No such option here: {named}. It goes before the command: "
            f"{name} {named}{value} {called} ..."
        )
        error.possibilities = None


def _in_plain_words(error: Any) -> None:  # noqa: ANN401 - Typer keeps click's types private
    message = getattr(error, "message", None)
    if isinstance(message, str):
        error.message = message.removeprefix(_OF_PYDANTIC)
    if getattr(error, "option_name", None) == "--standalone":
        error.message = _STANDALONE
        error.possibilities = None
