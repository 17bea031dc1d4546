"""`python -m benchmarks.merge.resident_memory BASE A B`: peak bytes of one merge of three files.

Resident memory of this process from before the texts are read to the peak of the merge; what the
interpreter and the imports take is not in it, what a first merge of a few lines loads neither.
Another process makes the files, for memory that was freed here would be used again. Linux only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bps.merge.engine import merge
from bps.merge.records import Contribution

_RESET_PEAK = "5"


def _bytes(field: str) -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(f"{field}:")) * 1024


def _merge(base: str, a: str, b: str) -> None:
    merge(base, [Contribution("A", base, a), Contribution("B", base, b)])


def _peak_bytes(paths: list[str]) -> int:
    _merge("a: 1\nb: [1]\n", "a: 2\nb: [1]\n", "a: 1\nb: [1, 2]\n")
    before = _bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    base, a, b = (Path(path).read_text() for path in paths)
    _merge(base, a, b)
    return _bytes("VmHWM") - before


if __name__ == "__main__":
    print(_peak_bytes(sys.argv[1:]))
