"""Small cases of rarer YAML, declared strategies and crowds, for the laws alone."""

from __future__ import annotations

from bps.merge.records import Contribution
from tests.unit.merge.cases import Apart, Case
from tests.unit.merge.crowds import Crowd
from tests.unit.merge.named_cases import CLEAN

_SET = "k:\n- a\n- b\n- c\n"
_KEYED = "k:\n- {os: x, arch: y, v: 1}\n- {os: x, arch: z, v: 1}\n"
RARE = (
    Case(
        "k: 1.9.0\nz: 1\n",
        "k: 1.9.1\nz: 1\n",
        "k: 1.10.0\nz: 1\n",
        declared=(("/k", "max: semver"),),
    ),
    Case("k: 9\n", "k: 30\n", "k: 200\n", "k: 9\n", declared=(("/k", "max: int"),)),
    Case(
        "k: {a: 1, b: 1}\n", "k: {a: 2, b: 1}\n", "k: {a: 1, b: 2}\n", declared=(("/k", "atomic"),)
    ),
    Case(_SET, "k:\n- c\n- a\n", "k:\n- a\n- b\n- c\n- d\n", declared=(("/k", "set"),)),
    Case("k:\n- a\n", "k:\n- a\n- b\n", "k:\n- a\n- c\n", declared=(("/k", "ordered"),)),
    Case(
        _KEYED,
        _KEYED.replace("y, v: 1", "y, v: 2"),
        _KEYED.replace("z, v: 1", "z, v: 2"),
        declared=(("/k", "keyed: [os, arch]"),),
    ),
    Case(
        _KEYED,
        f"{_KEYED}- {{v: 3}}\n",
        _KEYED.replace("z, v: 1", "z, v: 2"),
        declared=(("/k", "keyed: [os, arch]"),),
    ),
    Case("\ufeffa: 1\nb: 1\n", "\ufeffa: 2\nb: 1\n", "\ufeffa: 1\nb: 2\n"),
    Case("a: 1\nb: 1\n...\n", "a: 2\nb: 1\n...\n", "a: 1\nb: 2\n...\n"),
    Case("k: [  # note-1\n  1]\n", "k: [  # note-2\n  1]\n", "k: [  # note-1\n  1,  2]\n"),
    Case("- |+\n  v\n\n- b\n", "\n- b\n- |+\n  v\n", "# note-1\n- |+\n  v\n\n- b\n"),
    Case("q: 1\n", "# note-1\n# note-2\n? q\n: 1\n", "# note-3\nq: 1\n"),
    Case("# note-1\n\nk: 1\n", "{}\n\n# note-1\n", "# note-1\n\nk: 2\n"),
    Case("k:\n  a: 1\n", "k:\n  a: 1\n  a: 2\n", "k:\n  a: 1\n  b: 3\n"),
    Case("a: 1\n---\nb: 1\n", "a: 2\n---\nb: 1\n", "a: 1\n---\nb: 2\n"),
    Case("a: &a1 v1\nb: *a1\nc: 1\n", "a: &a2 v1\nb: *a2\nc: 1\n", "a: &a1 v1\nb: *a1\nc: *a1\n"),
)
TYPED = tuple(
    Case(
        f"a:\n  b:\n    k{n}: 1\n  z: 1\n",
        f"a:\n  b:\n    k{n}: 2\n  z: 1\n",
        f"a:\n  b:\n    k{n}: 3\n  z: 1\n",
    )
    for n in range(12)
)
"""Conflicts below other keys: among them are such for which a value of several lines is typed."""
APARTS = (
    *(
        Apart(Case(each.base, each.one, each.other), each.text)
        for each in CLEAN
        if each.text is not None
    ),
    Apart(
        Case("\ufeffa: 1\nb: 1\n", "\ufeffa: 2\nb: 1\n", "\ufeffa: 1\nb: 2\n"), "\ufeffa: 2\nb: 2\n"
    ),
    Apart(
        Case("a: 1\nb: 1\n...\n", "a: 2\nb: 1\n...\n", "a: 1\nb: 2\n...\n"),
        "a: 2\nb: 2\n...\n",
    ),
)
"""Each with the one text that has the edits of both."""


def _crowd(base: str, *texts: str, canonical: str = "") -> Crowd:
    given = tuple(Contribution(f"rr-{at}", base, text) for at, text in enumerate(texts))
    return Crowd(canonical or base, given, (given[:2], given[2:]), (), ())


CROWDS = (
    _crowd("k:\n- a\n", "k:\n- a\n- b\n", "k:\n- a\n- c\n", "k:\n- a\n- d\n"),
    _crowd(
        "v1: 1\nz: 1\n",
        "v1: 1\nz: v3\n",
        "v1: 1\nz: 1\ny: v4\n",
        "v1: 1\nz: 1\nx: v5\n",
        canonical="v1: 1\nz: v2\n",
    ),
)
