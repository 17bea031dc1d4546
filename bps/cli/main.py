"""Entry point of the console script `bps`; everything else is imported by it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `bps`. Ctrl-C before the commands are there ends it at once: nothing is under way yet."""
    if sys.argv[1:2] == ["merge"]:
        from bps.cli.merge_start import start  # noqa: PLC0415 - git starts it once a file

        start(sys.argv[2:])
    import signal  # noqa: PLC0415 - a merge does without

    # httpx would import its own command line, which takes half of its time (rich and pygments).
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

    # A caller that ignores the signal goes on doing so.
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        # The handler would print where it was.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bps.cli.app import run  # noqa: PLC0415 - takes the most of the start

    if ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
