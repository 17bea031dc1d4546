"""The seam between commands and the two ways: what a command hands over, what a way can do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.workspace.source import PlanSource
    from bps.writepath.command import Command, Outcome

V = TypeVar("V", bound="BaseModel")
T = TypeVar("T")


def _as_it_is(result: Any) -> Any:  # noqa: ANN401 - the result of any command
    return result


@dataclass(frozen=True, slots=True)
class Steps:
    """An act of several commands: `run(store, execute, principal, operation)` executes them."""

    run: Callable[
        [Store, Callable[[Command[Any]], Awaitable[Outcome[Any]]], str, str],
        Awaitable[Outcome[Any]],
    ]


@dataclass(frozen=True, slots=True)
class Write(Generic[V]):
    """One act, said in both ways.

    `command(principal, operation)` is for the write path, `request(client, operation)` for the
    service. `plan` is the plan whose files in the workspace follow the act. `view` makes what is
    shown of the command's result, where that is not the result itself.
    """

    command: Callable[[str, str], Command[Any]] | Steps
    request: Callable[[BpsClient, str], Awaitable[Outcome[V]]]
    plan: str | None = None
    view: Callable[[Any], V] = _as_it_is


class Backend(Protocol):
    """An opened way."""

    def read(self, directly: Callable[[Store], T], through: Callable[[BpsClient], T]) -> T:
        """Call the one of both that fits this way."""
        ...

    async def execute(self, write: Write[V], operation: str) -> Outcome[V]:
        """Carry the act out."""
        ...

    async def preview(self, write: Write[V], operation: str) -> Outcome[V]:
        """Decide the act and write nothing. Raises ConfigError where it has several steps."""
        ...

    async def open_plan(self, plan: str) -> PlanSource:
        """A plan's content, for the workspace. Raises NotFound."""
        ...
