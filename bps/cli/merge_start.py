"""`bps merge` without the rest of the command line; see `docs/merge-command.md`, "Speed"."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from bps.cli.merge_request import parse_arguments

_INTERRUPTED = 130


def start(arguments: Sequence[str]) -> None:
    """Merge and end the process; return where Typer has to answer.

    Cost: for three versions of 10 KB less than 5 times the start of a bare Python interpreter.
    """
    request = parse_arguments(arguments)
    if request is None:
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


def _end(exit_code: int) -> None:
    """Without tearing the interpreter down, which takes as long as a merge of 10 KB."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)
