"""Entries that no version changed are taken as one stretch; the result is as without that."""

from __future__ import annotations

from random import Random

import pytest

from bps.merge import rows, values
from bps.merge.engine import merge
from bps.merge.records import Contribution, Merged

_TASK = """\
# --- before task {n} ---

  # belongs to task {n}
  - id: task_{n}
    owner: owner{n}  # who

    # stands alone

    estimate_h: {n}
    notes: |
      first{n}
      second{n}
    steps:
    - name: build{n}
      run: make{n}
    - name: test{n}
      run: test{n}
"""
_BASE = "title: t1\n\ntasks:\n" + "".join(_TASK.format(n=n) for n in range(1, 8)) + "# the end\n"


def _edited(source: Random, text: str) -> str:
    """With some digits changed, and in one text of three a line more, less or twice."""
    lines = text.split("\n")
    places = [at for at, line in enumerate(lines) if line[-1:].isdigit() and "id:" not in line]
    for at in source.sample(places, 6):
        lines[at] += f"{source.randint(10, 19)}"
    if source.randrange(3) == 0:
        at = source.randrange(3, len(lines) - 1)
        lines[at : at + source.randrange(2)] = source.choice(([], [""], [lines[at]]))
    return "\n".join(lines)


def _merged(seed: int) -> Merged | None:
    source = Random(seed)
    one, other, canonical = (_edited(source, _BASE) for _ in range(3))
    sides = [Contribution("A", _BASE, one), Contribution("B", _BASE, other)]
    try:
        return merge(canonical if seed % 2 else _BASE, sides)
    except ValueError:
        return None


def test_a_stretch_taken_whole_is_as_its_entries_taken_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Text, records, notices and origins are equal, and most of these merges have stretches."""
    merge_rows = rows.merge_rows
    quick: list[bool] = []

    def told(*arguments: object) -> object:
        found = merge_rows(*arguments)  # type: ignore[arg-type]
        quick.append(found is not None)
        return found

    monkeypatch.setattr(values, "merge_rows", told)
    found = [_merged(seed) for seed in range(60)]
    assert sum(quick) > len(quick) / 3
    monkeypatch.setattr(values, "merge_rows", lambda *_: None)
    assert found == [_merged(seed) for seed in range(60)]
    assert any(each is not None and each.text is not None for each in found)
    assert any(each is not None and each.conflicts for each in found)
