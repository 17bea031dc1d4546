"""`bps merge` without the rest of the command line; see `docs/merge-command.md`, "Speed"."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from bps.cli.merge_request import EXIT_INTERNAL, EXIT_NOT_DONE, parse_arguments

_INTERRUPTED = 130
_OF_A_DRIVER = 5
"""`--` and what git names behind it: BASE, A, B and PATH."""


def start(arguments: Sequence[str]) -> None:
    """Merge and end the process; return where Typer has to answer.

    Cost: for three versions of 10 KB less than 5 times the start of a bare Python interpreter.
    """
    request = parse_arguments(arguments)
    if request is None:
        if "--" in arguments and len(arguments) - arguments.index("--") == _OF_A_DRIVER:
            _refuse_git()
        return
    # The process ends before its memory could be worth collecting.
    gc.disable()
    try:
        if request.policy is None:
            from bps.cli.merge_quick_yaml import quick_yaml  # noqa: PLC0415 - a policy needs all

            quick_yaml()
        from bps.cli.merge_run import run  # noqa: PLC0415 - imports what the line above prepares
        from bps.cli.streams import prepare_streams  # noqa: PLC0415 - not needed to refuse

        prepare_streams()
        _end(run(request))
    except KeyboardInterrupt:
        _end(_INTERRUPTED)
    except Exception:  # noqa: BLE001 - BPS is not whole; Python's own exit is that of a conflict
        import traceback  # noqa: PLC0415 - only then

        traceback.print_exc()
        _end(EXIT_INTERNAL if request.path is None else EXIT_NOT_DONE)


def _refuse_git() -> None:
    """Let Typer say what is wrong with git's command line; git must not take 2 for a conflict."""
    from bps.cli.app import run  # noqa: PLC0415 - as in `bps.cli.main`

    try:
        run()
    except SystemExit as ended:
        _end(EXIT_NOT_DONE if ended.code else 0)


def _end(exit_code: int) -> None:
    """Without tearing the interpreter down, which takes as long as a merge of 10 KB."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)
