"""The order in which files of tests are given out: those that run long first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests by the longest limit that one of their file asks for; else in their old order.

    Two processes share the tests file by file. A file that runs long and is begun last would let
    the other process wait; a test that runs long names a limit above the usual one.
    """
    limits_s: dict[Path, float] = {}
    for item in items:
        limits_s[item.path] = max(limits_s.get(item.path, 0.0), _limit_s(item))
    return sorted(items, key=lambda item: -limits_s[item.path])


def _limit_s(item: pytest.Item) -> float:
    """0 where the usual limit is enough."""
    mark = item.get_closest_marker("timeout")
    return 0.0 if mark is None else float(mark.args[0])
