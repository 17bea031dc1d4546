"""Failures of `bps merge`, told as those of all other commands are."""

from __future__ import annotations

import traceback

from bps.cli.merge_files import Refused
from bps.cli.merge_quick_yaml import whole
from bps.cli.merge_request import EXIT_NOT_DONE, MergeRequest
from bps.core.error_catalogue import explain
from bps.core.errors import BpsError, InternalError, InvalidInput, ResultNotShown

_SHOWN_CHARS = 300


def refuse(refused: Refused, *, as_json: bool) -> int:
    """Say on standard error what cannot be merged; the exit code."""
    error = InvalidInput(refused.message, **refused.facts)
    if refused.next_action is not None:
        error = error.advising(refused.next_action)
    return _report(error, as_json=as_json)


def not_printed(error: OSError) -> int:
    """Say that standard output takes no more; the exit code. Files are written by then."""
    from bps.cli.output import drop_output, not_shown  # noqa: PLC0415 - as below

    drop_output()
    return _report(not_shown(error), as_json=False)


def not_written(file: str, reason: str, *, as_json: bool) -> int:
    """Say that the result does not go where it should; the exit code. A file is as it was."""
    error = ResultNotShown(f"{file} cannot be written: {reason}.", out=file)
    return _report(error.advising("Make room there, then merge again."), as_json=as_json)


def crashed(error: Exception, request: MergeRequest) -> int:
    """Say that a merge ended by a mistake of ours; the exit code. Nothing is written then."""
    found = traceback.extract_tb(error.__traceback__)[-1]
    at = f"{found.filename}:{found.lineno}"
    exception = "".join(traceback.format_exception_only(error)).strip()
    message = f"The merge failed at {at}: {exception[:_SHOWN_CHARS]}. Nothing was written."
    code = _report(
        InternalError(message, at=at, exception=type(error).__name__), as_json=request.as_json
    )
    return code if request.path is None else EXIT_NOT_DONE


def _report(error: BpsError, *, as_json: bool) -> int:
    # What follows may import ruamel.yaml.
    whole()
    from bps.cli.session import report  # noqa: PLC0415 - only after the line above

    report(error, as_json=as_json)
    return explain(type(error)).exit_code
