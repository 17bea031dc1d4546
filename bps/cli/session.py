"""From a parsed command line to a store, a leader's session, and an exit code."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer

from bps.bootstrap import Settings, decide_only, lead, open_store
from bps.cli.output import Format, note, show
from bps.core import ids
from bps.core.error_catalogue import explain
from bps.core.errors import BpsError, ConfigError, UnsafePath

if TYPE_CHECKING:
    from bps.core.codec import Record
    from bps.core.ports import Store
    from bps.writepath.command import Command

P = ParamSpec("P")
R = TypeVar("R", bound="Record")

_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Session:
    """What the root options said."""

    settings: Settings
    principal: str
    workspace: Path | None

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The configured store, for reading."""
        async with open_store(self.settings) as store:
            yield store

    async def write(
        self,
        command: Callable[[str, str], Command[R]],
        *,
        form: Format,
        standalone: bool,
        op_id: str | None,
        dry_run: bool = False,
    ) -> None:
        """Execute `command(principal, op_id)` as leader, print its result, project the plan.

        Raises:
            ConfigError: `--standalone` is missing.
            WorkspaceConflict: the act is done, but a workspace file was edited by hand.
        """
        if not dry_run:
            require_standalone(standalone=standalone)
        operation = ids.operation_id(op_id or str(uuid.uuid4()))
        prepared = command(ids.principal(self.principal), operation)
        async with open_store(self.settings) as store:
            if dry_run:
                outcome = await decide_only(store, prepared)
            else:
                async with lead(store, self.settings) as write_path:
                    outcome = await write_path.execute(prepared)
            if outcome.how != "committed":
                note(f"{outcome.how}: {outcome.why}")
            show(outcome.result, form)
            if self.workspace is not None and prepared.plan is not None and not dry_run:
                await self.project(store, prepared.plan, outcome.result)

    async def project(self, store: Store, plan: str, result: Record) -> None:
        """Bring the files that an act touched up to date. Raises WorkspaceConflict."""
        from bps.workspace.sync import sync  # noqa: PLC0415 - only where used
        from bps.workspace.touched import rr_plans_touched  # noqa: PLC0415

        report = await sync(store, self.need_workspace(), plan, rr_plans_touched(result))
        if conflict := report.conflict():
            raise conflict

    def need_workspace(self) -> Path:
        """The workspace root. Raises ConfigError."""
        if self.workspace is None:
            raise ConfigError("No workspace is named: use --workspace or BPS_WORKSPACE.")
        return self.workspace


def require_standalone(*, standalone: bool) -> None:
    """Writes need a sidecar, or the word of the user. Raises ConfigError."""
    if not standalone:
        raise ConfigError("No sidecar is configured; add --standalone (or BPS_STANDALONE=1).")


def session_of(context: typer.Context) -> Session:
    """The session that the root options made."""
    found = context.find_object(Session)
    if found is None:
        raise ConfigError("The command was called without its root options.")
    return found


def command(function: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a Typer command of a coroutine function; named errors become exit codes."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        form = kwargs.get("output", Format.TABLE)
        try:
            asyncio.run(function(*args, **kwargs))
        except BpsError as error:
            report(error, as_json=form is Format.JSON)
            raise typer.Exit(explain(type(error)).exit_code) from None
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return run


def report(error: BpsError, *, as_json: bool) -> None:
    """Say on stderr what failed and what to do; as RFC 9457 problem JSON where asked."""
    row = explain(type(error))
    if as_json:
        import orjson  # noqa: PLC0415 - only where used

        problem = {
            "type": row.problem_type,
            "title": row.meaning,
            "status": row.http_status,
            "detail": error.message,
            "code": error.code,
            "retryable": error.retryable,
            "next_action": row.next_action,
            "facts": error.facts,
        }
        note(orjson.dumps(problem, option=orjson.OPT_INDENT_2).decode())
        return
    note(f"error: {error.message} [{error.code}]")
    for name in ("op", "rule", "candidates", "rr_plans"):
        if name in error.facts:
            note(f"  {name}: {error.facts[name]}")
    note(f"next: {row.next_action}")


def read_limited(path: Path, limit_bytes: int, what: str) -> bytes:
    """A file's bytes (or standard input's for `-`), at most one more than `limit_bytes`.

    Raises:
        UnsafePath: it cannot be read as a file.
    """
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(limit_bytes + 1)
        if not path.is_file():
            raise UnsafePath(f"{what} {str(path)!a} is not a file.")
        with path.open("rb") as file:
            return file.read(limit_bytes + 1)
    except (OSError, ValueError) as error:
        raise UnsafePath(f"{what} {str(path)!a} cannot be read: {error}.") from None
