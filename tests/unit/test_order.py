"""Files of tests that run long are begun first, however few tests they have."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.order import longest_first


def item(name: str, limit_s: float | None = None) -> Any:
    mark = None if limit_s is None else pytest.mark.timeout(limit_s).mark
    path = Path(name.partition("::")[0])
    return SimpleNamespace(path=path, nodeid=name, get_closest_marker={"timeout": mark}.get)


def test_files_with_long_limits_come_first_and_stay_whole() -> None:
    items = [item("a::1"), item("b::1"), item("b::2", 180), item("c::1", 300), item("d::1")]
    ordered = longest_first(cast("list[pytest.Item]", items))
    assert [each.nodeid for each in ordered] == ["c::1", "b::1", "b::2", "a::1", "d::1"]


def test_xdist_keeps_the_order(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.option.loadscopereorder is False
