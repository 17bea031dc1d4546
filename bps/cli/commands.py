"""The commands of `bps`; a command's module is imported when the command is called or listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.main import get_group

FUNCTIONS = {
    "init": "operating",
    "promote": "promotion",
    "revert": "promotion",
    "canonical": "reading",
    "diff": "reading",
    "origins": "origins",
    "merge": "merge_command",
    "log": "reading",
    "events": "events",
    "verify": "proof",
    "replay": "proof",
    "sync": "operating",
    "serve": "serve",
    "doctor": "doctor",
    "explain": "operating",
    "demo": "operating",
}
"""The module of each command that is a function of its name."""

GROUPS = (
    "plan",
    "branch",
    "review",
    "context",
    "initiative",
    "policy",
    "validators",
    "mode",
    "token",
    "keys",
    "checkpoint",
)
"""The modules that hold a group of commands of their name, `app`."""


class Commands(Mapping[str, Any]):
    """Name to command, in the order of the help."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - Typer keeps click's types private
        if name not in self:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = _command(name)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in FUNCTIONS or name in GROUPS

    def __iter__(self) -> Iterator[str]:
        yield from FUNCTIONS
        yield from GROUPS

    def __len__(self) -> int:
        return len(FUNCTIONS) + len(GROUPS)


def _command(name: str) -> Any:  # noqa: ANN401 - as above
    holder = typer.Typer(rich_markup_mode=None)
    module = import_module(f"bps.cli.{FUNCTIONS.get(name, name)}")
    if name in FUNCTIONS:
        holder.command(name)(getattr(module, name))
    else:
        holder.add_typer(module.app, name=name)
    return get_group(holder).commands[name]
