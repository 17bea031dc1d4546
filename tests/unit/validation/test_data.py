"""What the worker parses for a candidate, and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from bps.blueprint.data import load
from bps.core.errors import InvalidBlueprint
from bps.validation import data
from bps.validation.data import JobData, KnownTexts


@pytest.mark.parametrize(("tasks", "apart"), [(10, 0), (4_000, 2), (8_000, 3)])
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
    assert parsed == texts[2:]
    assert asked.merged["name"] == "merged"
    assert parsed == texts[2:]
    assert asked.base["name"] == "base"
    assert asked.branches["ONE"]["name"] == "one"
    assert asked.base is asked.base
    assert parsed == [texts[2], texts[0], texts[1]]
    assert len(entered) == apart


def judged(*texts: str) -> dict[str, Any]:
    """A job of base, branch and merged text."""
    return {"texts": [*texts], "base": 0, "branches": {"ONE": 1}, "merged": 2, "policy": {}}


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (("a: 1\nb: [\n", "a: 2\n", "a: 3\n"), 3),
        (("a: 1\n", "a: b: 2\n", "a: 3\n"), 1),
        (("a: 1\n", "a:\n b: c: 2\n", "[\n"), 2),
    ],
)
def test_the_first_text_that_is_none_is_told(texts: tuple[str, str, str], line: int) -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        JobData(judged(*texts), KnownTexts(), nullcontext)
    assert refused.value.facts["line"] == line


def test_what_differs_in_plain_values_alone_is_not_read_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def noted(text: str) -> bool:
        read.append(text)
        return True

    monkeypatch.setattr(data, "surely_loads", noted)
    texts = ("ms: 1\nto: x\n", "ms: 2\nto: [y]\n", "ms: 3\nto: z\n")
    JobData(judged(*texts), KnownTexts(), nullcontext)
    assert read == [texts[1]]


def test_each_validator_has_data_of_its_own() -> None:
    job = JobData(judged("a: 1\n", "a: 2\n", "a: {b: 3}\n"), KnownTexts(), nullcontext)
    first, second = job.candidate({"c": []}), job.candidate({"c": []})
    assert first.merged is first.merged
    first.merged["a"]["b"] = 4
    assert second.merged == {"a": {"b": 3}}
    assert first.config is not second.config
