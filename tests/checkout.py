"""The code that tests prove: that of this checkout, also in the programs that they start."""

from __future__ import annotations

import os
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
    """From now on all that this process starts takes this checkout, unless it says otherwise."""
    os.environ[VARIABLE] = python_path()
