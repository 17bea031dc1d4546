"""Garbage collection as a long-lived service wants it."""

from __future__ import annotations

import gc
from typing import Final

_COLLECT_AFTER: Final = (50_000, 20, 50)
"""Objects, then collections of each younger generation, before the next older is collected."""


def calm_collector() -> None:
    """Take what was made at the start out of garbage collection, and collect less often.

    Else full collections stop the service for 0.1 s each: under promotions that was 15 % of its
    CPU time (measured). What it costs is memory for up to 50,000 objects more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
