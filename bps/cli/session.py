"""From a parsed command line to a store, a leader's session, and an exit code."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import stat
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer

from bps.bootstrap import Settings, open_store
from bps.cli.act import Act
from bps.cli.connection import Connection, Setting
from bps.cli.direct import Direct
from bps.cli.output import Format, drop_output, note, show
from bps.cli.way import Origin, Way
from bps.core import ids
from bps.core.error_catalogue import explain, next_action_of
from bps.core.errors import BpsError, ConfigError, InvalidInput, Unavailable

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bps.cli.backend import Backend, Write
    from bps.client import BpsClient
    from bps.core.ports import Store
    from bps.writepath.command import Outcome

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V", bound="BaseModel")

EXIT_INTERRUPTED = 130
DEFAULT_PRINCIPAL = "operator"
_SHOWN_LENGTH = 200
_NAME_A_FILE = "Name a file that can be read, or - for standard input."
_OTHERS = 0o077
_MAY_PASS = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
"""Failures of the system that may be gone when the command is repeated."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the root options said."""

    settings: Settings
    acting: Setting
    workspace: Path | None
    connection: Connection

    @property
    def principal(self) -> str:
        """Who acts where the store is acted on directly. Raises InvalidId."""
        named = self.acting.value
        return ids.principal(DEFAULT_PRINCIPAL if named is None else named)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The store itself, for commands that do not go through the service."""
        async with open_store(self.settings) as store:
            yield store

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Backend]:
        """The way that reads take. Raises ConfigError."""
        async with self._open(self.connection.to_read()) as backend:
            yield backend

    async def read(
        self,
        directly: Callable[[Store], Awaitable[T]],
        through: Callable[[BpsClient], Awaitable[T]],
    ) -> T:
        """One read: from the store, or through the service."""
        async with self.reading() as backend:
            return await backend.read(directly, through)

    async def write(
        self,
        write: Write[V],
        *,
        form: Format,
        standalone: bool,
        op_id: str | None,
        dry_run: bool = False,
    ) -> Outcome[V] | None:
        """Carry `write` out, print its result, project its plan; None for a dry run.

        Raises:
            ConfigError: neither a service is named nor `--standalone`, or both are.
            ResultNotShown: the act is done, but its result could not be printed.
        """
        operation = operation_of(op_id)
        if dry_run:
            await self._preview(write, operation, form)
            return None
        way = self.connection.to_write(standalone=standalone)
        projected = None if self.workspace is None else write.plan
        with Act[V](operation, form, projected=projected) as act:
            async with self._open(way) as backend:
                act.outcome = await backend.execute(write, operation)
                act.show()
                if projected is not None:
                    await self._project(backend, projected, act.outcome.result)
        return act.outcome

    @asynccontextmanager
    async def _open(self, way: Way) -> AsyncIterator[Backend]:
        if way is Way.DIRECT:
            who = self.principal
            async with open_store(self.settings) as store:
                yield Direct(store, self.settings, who, self.connection.timeout_s)
            return
        if self.acting.origin is Origin.COMMAND_LINE:
            msg = "--as is for --standalone; the service knows who acts by the token."
            raise ConfigError(msg).advising("Leave --as out, or use another token.")
        target = self.connection.target()

        from bps.cli.remote import open_remote  # noqa: PLC0415 - heavy

        async with open_remote(target, self.connection.timeout_s) as remote:
            yield remote

    async def _preview(self, write: Write[V], operation: str, form: Format) -> None:
        async with self.reading() as backend:
            outcome = await backend.preview(write, operation)
        result = outcome.result
        if outcome.how != "committed":
            note(f"{outcome.how}: {outcome.why}")
        if outcome.how == "noop":
            # A receipt proves an event, and there is none.
            result = result.model_copy(update={"receipt": None})
        show(result, form)

    async def _project(self, backend: Backend, plan: str, result: BaseModel) -> None:
        """Bring the files that an act touched up to date. Raises WorkspaceConflict."""
        from bps.workspace.sync import sync  # noqa: PLC0415 - only where used
        from bps.workspace.touched import rr_plans_touched  # noqa: PLC0415

        touched = rr_plans_touched(result)
        report = await sync(backend.open_plan, self.need_workspace(), plan, touched)
        if conflict := report.conflict():
            raise conflict

    def need_workspace(self) -> Path:
        """The workspace root. Raises ConfigError."""
        if self.workspace is None:
            msg = "No workspace is named."
            raise ConfigError(msg).advising(
                "Name a directory: `bps --workspace DIRECTORY ...`, or BPS_WORKSPACE."
            )
        return self.workspace


def require_standalone(*, standalone: bool) -> None:
    """For acts that no service offers: the word of the user. Raises ConfigError."""
    if not standalone:
        msg = "This acts on etcd directly only."
        raise ConfigError(msg).advising("Add --standalone (or BPS_STANDALONE=1).")


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
        as_json = kwargs.get("output") is Format.JSON
        try:
            asyncio.run(function(*args, **kwargs))
        except BpsError as error:
            raise refusal(error, as_json=as_json) from None
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            drop_output()
        except OSError as error:
            raise refusal(_system_error(error), as_json=as_json) from None

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
            "next_action": next_action_of(error),
            "facts": error.facts,
        }
        note(json.dumps(problem, indent=2))
        return
    note(f"error: {error.message} [{error.code}]")
    for name in ("hint", "rule", "op", "candidates", "rr_plans"):
        if name in error.facts:
            found = error.facts[name]
            told = map(str, found) if isinstance(found, list) else [str(found)]
            note(f"  {name}: {', '.join(told)}")
    note(f"next: {next_action_of(error)}")


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


def check_private(path: Path, what: str) -> None:
    """That nobody else can read or write a file with a secret. Raises ConfigError."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        # Reading it will say why.
        return
    if path.is_file() and mode & _OTHERS:
        name = ascii(str(path)[:_SHOWN_LENGTH])
        msg = f"{what} {name} has mode {mode:04o}: others can read it."
        raise ConfigError(msg).advising(f"Make it yours alone: chmod 600 {name}.")


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
            raise InvalidInput(f"{what} {name} is not a file.", field=what).advising(_NAME_A_FILE)
        with path.open("rb") as file:
            return file.read(limit_bytes + 1)
    except OSError as error:
        reason = error.strerror or "it failed"
        msg = f"{what} {name} cannot be read: {reason}."
        raise InvalidInput(msg, field=what).advising(_NAME_A_FILE) from None
