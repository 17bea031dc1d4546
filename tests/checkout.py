"""What the programs that tests start inherit: the code of this checkout, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""Of the repository; absolute."""
SAMPLES: Final = ROOT / "docs" / "samples"
VARIABLE: Final = "PYTHONPATH"


def python_path(*before: Path) -> str:
    """`PYTHONPATH` of a program that takes modules from `before`, else from this checkout.

    What is installed in the environment may be another checkout, and comes behind both.
    """
    known = filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))
    return os.pathsep.join(dict.fromkeys([*map(str, before), str(ROOT), *known]))


def use_checkout() -> None:
    """From now on all that this process starts takes this checkout, unless it says otherwise.

    A checkout without a `.venv` of its own stages etcd by the Python that runs the tests.
    """
    os.environ[VARIABLE] = python_path()
    os.environ.setdefault("BPS_PYTHON", sys.executable)


def take_interrupts() -> None:
    """Let Ctrl-C reach what is started from now on, although a shell put us in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
