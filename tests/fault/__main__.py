"""`python -m tests.fault run`: faults under traffic on a real cluster; see README.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fault.run import Options, run

_OUT = Path(".fault") / "schedules.jsonl"


def main() -> int:
    """Entry point; 0: nothing violated, 1: something was, 2: a fault cannot be caused here."""
    parser = argparse.ArgumentParser(prog="tests.fault")
    parser.add_argument("command", choices=["run"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--schedules", type=int, default=20)
    parser.add_argument("--budget-s", type=float, default=900.0)
    parser.add_argument("--resume", type=Path, help="go on with this file")
    parser.add_argument("--out", type=Path, default=_OUT, help="a new file")
    given = parser.parse_args()
    if given.resume is None:
        given.out.unlink(missing_ok=True)
    out = given.resume or given.out
    return run(Options(given.seed, given.schedules, given.budget_s, out))


if __name__ == "__main__":
    sys.exit(main())
