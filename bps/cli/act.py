"""One writing operation of the command line: what is done never ends as if it were refused."""

from __future__ import annotations

import asyncio
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from bps.cli.output import Format, drop_output, note, show
from bps.core.errors import BpsError, ResultNotShown

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bps.writepath.command import Outcome

V = TypeVar("V", bound="BaseModel")


class Act(Generic[V]):
    """Context manager around an operation; set `outcome` as soon as it is known, then `show`.

    Whatever fails after that (the workspace, resigning, closing) is a warning, since a script that
    sees a failure would do the act again. Only a result that cannot be printed is an error, one
    that says so. At an interruption the user is told how to learn what became of the operation.
    """

    outcome: Outcome[V] | None = None

    def __init__(self, operation: str, form: Format, *, projected: str | None = None) -> None:
        """`projected` is the plan whose files in the workspace follow the act."""
        self._operation = operation
        self._form = form
        self._projected = projected
        self._shown = False

    def __enter__(self) -> Self:
        """On a terminal the operation's id comes first: whatever happens, it can be repeated."""
        if sys.stderr.isatty():
            note(f"operation {self._operation}")
        return self

    def show(self) -> None:
        """Print the outcome. Raises ResultNotShown."""
        if self._shown or self.outcome is None:
            return
        self._shown = True
        if self.outcome.how != "committed":
            note(f"{self.outcome.how}: {self.outcome.why}")
        try:
            show(self.outcome.result, self._form)
        except BrokenPipeError:
            drop_output()
        except ResultNotShown as error:
            done = f"Done as operation {self._operation}, but its result could not be printed"
            reason = error.message.partition(": ")[2]
            raise ResultNotShown(f"{done}: {reason}", op=self._operation) from None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            known = "may be done" if self.outcome is None else "is done"
            note(
                f"interrupted: operation {self._operation} {known}; "
                f"repeat the command with --op-id {self._operation} for its result"
            )
            return False
        if self.outcome is None or not isinstance(error, Exception):
            return False
        if isinstance(error, ResultNotShown):
            return False
        self.show()
        reason = (
            error.message if isinstance(error, BpsError) else f"{type(error).__name__}: {error}"
        )
        note(f"warning: operation {self._operation} is done; what follows it failed: {reason}")
        if self._projected is not None:
            note(f"next: correct that, then run `bps sync {self._projected}`")
        return True
