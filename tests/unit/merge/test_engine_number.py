"""Promotions name the engine that merged them: its number goes up when its results change."""

from __future__ import annotations

import hashlib

from bps.candidates.merging import ENGINE
from bps.merge.compact import compact
from bps.merge.engine import merge
from bps.merge.explain import explain
from bps.merge.reader import Reader
from bps.merge.records import Contribution
from tests.unit.merge.named_cases import CLEAN, CONTESTED

MORE = (
    (
        "r: |\n  p\n  }\n  q\n  }\n",
        "r: |\n  q\n  }\n  z\n  }\n",
        "r: |\n  p\n  }\n  q\n  }\n  z\n  }\n",
    ),
    ("a: 1\nb: 2", "a: 1\nb: 2\n\n", "a: 9\nb: 2"),
    ("# x\nb: 2 # y\n", "# x \nb: 2 # y \n", "# x z\nb: 3 # y\n"),
    (
        "- uses: a/b@v1\n- 1\n",
        "- uses: a/b@4ffde65f46336\n- 1\n",
        "- uses: a/b@v1\n  with: 1\n- 1\n",
    ),
    (
        "- {a: 1, b: 2, c: 3, d: 4}\n",
        "- {a: 5, b: 6, c: 7, d: 4}\n",
        "- {a: 1, b: 2, c: 3, d: 8}\n",
    ),
    ("- a\n- b\n", "- a\n- x\n- b\n", "- a\n- y\n- b\n"),
    ("- a\n- b\n", "- X=1\n- a\n- b\n", "- a\n- b\n- X=2\n"),
    ("{a: 1}\n", "{a: 1}\n\n", "{a: 2}\n"),
    ("- id: 1\n  v: 1\n- id: 2\n", "- id: 2\n- id: '1'\n  v: 1\n", "- id: 1\n  v: 2\n- id: 2\n"),
    ("- c\n- a\n- a\n", "- c\n- a\n", "- y\n- c\n- a\n"),
    ("a: 1\r\nb: 2\nc: 3", "a: 7\r\nb: 2\nc: 3", "a: 1\r\nb: 8\nc: 3"),
    ("- 1", "- 1\n- |\n  x", "- 1\n- 2"),
    ("# c\na: 1\n", "# c \na: 1\n", "# c\nb: 0\na: 1\n"),
    (
        "- name: a\n- name: x\n- name: z\n",
        "- name: a\n- name: n\n- name: z\n",
        "- name: a\n- name: b\n- name: x\n- name: z\n",
    ),
    (
        "- c:\n  - {a: x}\n  - {a: y}\n",
        "- c:\n  - {a: p}\n  - {a: q}\n  - {a: r}\n  - {a: y}\n",
        "- c:\n  - {a: x}\n  - {a: y}\n  - {a: z}\n",
    ),
    ("a: 1\nb: 2\n", "a: 1\nb: 2", "a: 1\nb: 2\nc: |\n  x\n"),
    ("a: 1\n# p: 1\n# q: 1\n", "a: 1\np: 1\n# q: 1\n", "a: 1\n# p: 1\nq: 1\n"),
    (
        "- id: 1\n- id: 2\n- id: 3\n",
        "- id: 1\n- id: N\n- id: 3\n",
        "- id: 1\n- id: 2\n- id: 9\n- id: 3\n",
    ),
    ("k: !a |\n  x\n  y\n  z\n", "k: !a |\n  p\n  y\n  z\n", "k: !a |\n  x\n  y\n  q\n"),
    ("k: |-\t# c\n  x\n", "k: |-\n  x\n", "k: |-\t# c\n  p\n"),
)
CASES = tuple((each.base, each.one, each.other) for each in (*CLEAN, *CONTESTED)) + MORE
MERGED = {"5": ("0dd4c72301102931", "81af2055b2c40907")}
"""By engine the digests of the cases and of what they come to."""
WHAT_TO_DO = (
    "If the second digest alone is another one, the engine's results changed: count ENGINE in "
    "bps/candidates/merging.py up, note the digests here by its number, say it in CHANGELOG.md. "
    "If cases were added, note the digests that the engine without your change gives."
)


def digests() -> tuple[str, str]:
    cases, results = hashlib.sha256(), hashlib.sha256()
    for base, one, other in CASES:
        sides = [Contribution("A", base, one), Contribution("B", base, other)]
        reader = Reader()
        merged = merge(base, sides, reader=reader)
        told = compact(explain(base, sides, merged, reader)) if merged.text is not None else None
        cases.update(repr((base, one, other)).encode())
        conflicts = [each.id for each in merged.conflicts]
        results.update(repr((merged.text, conflicts, told)).encode())
    return cases.hexdigest()[:16], results.hexdigest()[:16]


def test_the_engine_has_another_number_where_its_results_are_others() -> None:
    assert MERGED.get(ENGINE) == digests(), WHAT_TO_DO
