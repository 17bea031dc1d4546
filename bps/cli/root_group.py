"""The root command: it imports a subcommand when called, and says where its own options go."""

from __future__ import annotations

from typing import Any, cast

import typer
from typer.core import TyperGroup

from bps.cli.commands import Commands


class RootGroup(TyperGroup):
    """`bps`: a root option that a subcommand does not know is named with its place."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - what Typer knows of a group
        super().__init__(**attributes)
        self.commands = cast("Any", Commands())

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer keeps click's types private
        """As any group; an unknown option of a subcommand that is ours gets a better sentence."""
        try:
            return super().invoke(ctx)
        except Exception as error:
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
