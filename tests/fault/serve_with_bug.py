"""The command line with one protection taken away: `... serve_with_bug BUG serve --config FILE`.

For the control of the checks; several bugs are joined by `+`. The product has no such switch.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

from bps.cli.main import main as bps
from tests.fault.planted.bugs import load


def main() -> None:
    """Plant the bugs, then run `bps` with the other arguments. Raises KeyError for an unknown."""
    names, *arguments = sys.argv[1:]
    bugs = load()
    with ExitStack() as planted:
        for name in names.split("+"):
            planted.enter_context(bugs[name]())
        sys.argv[1:] = arguments
        bps()


if __name__ == "__main__":
    main()
