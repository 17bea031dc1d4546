"""What the worker parses for a candidate, and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bps.blueprint.data import load
from bps.validation import data
from bps.validation.data import JobData, KnownTexts


@pytest.mark.parametrize(("tasks", "apart"), [(10, 0), (4_000, 2)])
def test_base_and_branches_are_parsed_once_asked_for_and_large_ones_apart(
    tasks: int, apart: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def counted(text: str) -> dict[str, object]:
        parsed.append(text)
        return load(text)

    monkeypatch.setattr(data, "load", counted)
    entered: list[int] = []

    @contextmanager
    def aside() -> Iterator[None]:
        entered.append(len(parsed))
        yield

    list_ = "".join(f"- id: t{n}\n" for n in range(tasks))
    texts = [f"name: {name}\ntasks:\n{list_}" for name in ("base", "one", "merged")]
    job = {"texts": texts, "base": 0, "branches": {"ONE": 1}, "merged": 2, "policy": {}}
    asked = JobData(job, KnownTexts(), aside).candidate({})
    assert asked.merged["name"] == "merged"
    assert parsed == texts[2:]
    assert asked.base["name"] == "base"
    assert asked.branches["ONE"]["name"] == "one"
    assert asked.base is asked.base
    assert parsed == [texts[2], texts[0], texts[1]]
    assert len(entered) == apart
