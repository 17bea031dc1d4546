"""From a parsed command line to a store, a leader's session, and an exit code."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer

from bps.bootstrap import Settings, decide_only, lead, open_store
from bps.cli.act import Act
from bps.cli.output import Format, drop_output, note, show
from bps.core import ids
from bps.core.error_catalogue import explain
from bps.core.errors import BpsError, ConfigError, InvalidInput, Unavailable

if TYPE_CHECKING:
    from bps.core.codec import Record
    from bps.core.ports import Store
    from bps.writepath.command import Command

P = ParamSpec("P")
R = TypeVar("R", bound="Record")

EXIT_INTERRUPTED = 130
_SHOWN_LENGTH = 200
_MAY_PASS = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
"""Failures of the system that may be gone when the command is repeated."""


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
            ResultNotShown: the act is done, but its result could not be printed.
        """
        if not dry_run:
            require_standalone(standalone=standalone)
        operation = operation_of(op_id)
        prepared = command(ids.principal(self.principal), operation)
        if dry_run:
            await self._preview(prepared, form)
            return
        projected = None if self.workspace is None else prepared.plan
        with Act[R](operation, form, projected=projected) as act:
            async with open_store(self.settings) as store:
                async with lead(store, self.settings) as write_path:
                    act.outcome = await write_path.execute(prepared)
                act.show()
                if projected is not None:
                    await self.project(store, projected, act.outcome.result)

    async def _preview(self, prepared: Command[R], form: Format) -> None:
        async with open_store(self.settings) as store:
            outcome = await decide_only(store, prepared)
        result = outcome.result
        if outcome.how != "committed":
            note(f"{outcome.how}: {outcome.why}")
        if outcome.how == "noop":
            # A receipt proves an event, and there is none.
            result = result.model_copy(update={"receipt": None})
        show(result, form)

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


def operation_of(op_id: str | None) -> str:
    """The operation id that was given, or a new one. Raises InvalidId."""
    return ids.operation_id(str(uuid.uuid4()) if op_id is None else op_id)


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
            raise refusal(error, as_json=form is Format.JSON) from None
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            drop_output()
        except OSError as error:
            raise refusal(_system_error(error), as_json=form is Format.JSON) from None

    return run


def _system_error(error: OSError) -> BpsError:
    """A failure of the system that nothing nearer to it has named."""
    where = "" if error.filename is None else f" {str(error.filename)[:_SHOWN_LENGTH]!a}"
    reason = error.strerror or "no reason given"
    kind = Unavailable if error.errno in _MAY_PASS else ConfigError
    return kind(f"The system refuses to read or write{where}: {reason}.")


def refusal(error: BpsError, *, as_json: bool) -> typer.Exit:
    """Say on stderr what failed; the exit to raise."""
    report(error, as_json=as_json)
    return typer.Exit(explain(type(error)).exit_code)


def report(error: BpsError, *, as_json: bool) -> None:
    """Say on stderr what failed and what to do; as RFC 9457 problem JSON where asked."""
    row = explain(type(error))
    if as_json:
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
        note(json.dumps(problem, indent=2))
        return
    note(f"error: {error.message} [{error.code}]")
    for name in ("hint", "rule", "op", "candidates", "rr_plans"):
        if name in error.facts:
            note(f"  {name}: {error.facts[name]}")
    note(f"next: {row.next_action}")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends what blocks the event loop; the loop's own handler waits for the loop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def read_limited(path: Path, limit_bytes: int, what: str) -> bytes:
    """A file's bytes (or standard input's for `-`), at most one more than `limit_bytes`.

    Raises:
        InvalidInput: it cannot be read as a file.
    """
    name = ascii(str(path)[:_SHOWN_LENGTH])
    try:
        if str(path) == "-":
            if sys.stdin is None:
                raise InvalidInput("Standard input is closed.", field=what)
            with _interruptible():
                return sys.stdin.buffer.read(limit_bytes + 1)
        # A pipe without a writer would hold this up for ever.
        if not path.is_file():
            raise InvalidInput(f"{what} {name} is not a file.", field=what)
        with path.open("rb") as file:
            return file.read(limit_bytes + 1)
    except OSError as error:
        reason = error.strerror or "it failed"
        raise InvalidInput(f"{what} {name} cannot be read: {reason}.", field=what) from None
