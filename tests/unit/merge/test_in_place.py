"""Elements without identity that one side changed much, in the place where they were."""

from __future__ import annotations

import pytest

from bps.merge.engine import merge
from bps.merge.records import Contribution, Kind

HASH = "b4ffde65f46336ab88eb53be808477a3936bae11"
CHECKOUT = "- uses: actions/checkout@v3\n"
DEPTH = "  with:\n    fetch-depth: 0\n"
TOOLCHAIN = """\
- uses: actions-rs/toolchain@v1
  with:
    toolchain: nightly
    profile: minimal
    override: true
"""
OTHER_TOOLCHAIN = """\
- uses: dtolnay/rust@master
  with:
    toolchain: nightly
    profile: max
    override: true
"""
NIGHTLY = "    toolchain: nightly\n"
RUN = "- run: make\n"
GLOBS = """\
- changed-files:
  - any-glob-to-any-file:
    - a
    - b
    - c
"""
HOOK = """\
- repo: one/flake8
  rev: '6'
  hooks:
  - id: flake8
    deps: [
      bugbear,
      logging
    ]
"""
CHOICE = """\
- choose:
  - alias: out
    do: 1
  - alias: bedtime
    when: 22
"""
CHOICES = CHOICE.replace(
    "  - alias: b", "  - {alias: gone, do: 1}\n  - {alias: up, do: 2}\n  - alias: b"
)
MOVED_HOOK = HOOK.replace("one", "another").replace("6", "3")


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        (
            CHECKOUT,
            f"- uses: actions/checkout@{HASH}\n",
            CHECKOUT + DEPTH,
            f"- uses: actions/checkout@{HASH}\n{DEPTH}",
        ),
        (
            "- image: ghcr.io/a/b:1.2\n" + RUN,
            f"- image: ghcr.io/a/b:{HASH}\n" + RUN,
            "- image: ghcr.io/a/b:1.2\n  tty: true\n" + RUN,
            f"- image: ghcr.io/a/b:{HASH}\n  tty: true\n" + RUN,
        ),
        (
            TOOLCHAIN,
            TOOLCHAIN.replace("true", "false"),
            OTHER_TOOLCHAIN,
            OTHER_TOOLCHAIN.replace("true", "false"),
        ),
        (
            CHECKOUT + TOOLCHAIN + RUN,
            CHECKOUT.replace("v3", "v4") + TOOLCHAIN.replace("true", "false") + RUN,
            CHECKOUT + OTHER_TOOLCHAIN + RUN,
            CHECKOUT.replace("v3", "v4") + OTHER_TOOLCHAIN.replace("true", "false") + RUN,
        ),
        # What is left as it was stands in a list below a key.
        (
            GLOBS,
            GLOBS.replace("- b", "- x\n    - b"),
            GLOBS + "    - y\n",
            GLOBS.replace("- b", "- x\n    - b") + "    - y\n",
        ),
        (
            RUN + HOOK,
            RUN + HOOK.replace("bugbear", "bugbear==1"),
            RUN + MOVED_HOOK.replace("logging", "logging==2"),
            RUN + MOVED_HOOK.replace("bugbear", "bugbear==1").replace("logging", "logging==2"),
        ),
        # Or there is one mapping of it left in such a list.
        (
            CHOICE,
            CHOICES.replace("alias: out", "alias: away"),
            CHOICE.replace("22", "23") + "  - {alias: late, do: 3}\n",
            CHOICES.replace("alias: out", "alias: away").replace("22", "23")
            + "  - {alias: late, do: 3}\n",
        ),
    ],
)
def test_edits_of_different_fields_are_both_there(
    base: str, one: str, other: str, result: str
) -> None:
    for sides in ((one, other), (other, one)):
        assert merge(base, [Contribution(text, base, text) for text in sides]).text == result


@pytest.mark.parametrize(
    ("base", "one", "other"),
    [
        # Another thing that shares nothing with the old one.
        (CHECKOUT, "- uses: actions/setup-python@v4\n", CHECKOUT + DEPTH),
        ("- run: make lint\n", "- run: pytest\n", "- run: make lint\n  shell: bash\n"),
        # Two stand where one stood: which of them it became is not told.
        (
            RUN + TOOLCHAIN,
            RUN + OTHER_TOOLCHAIN + "- run: x\n",
            RUN + TOOLCHAIN.replace("true", "false"),
        ),
        (TOOLCHAIN, TOOLCHAIN.replace("true", "false") + RUN, OTHER_TOOLCHAIN),
        # `true` and numbers stand in many elements.
        (
            TOOLCHAIN.replace(NIGHTLY, ""),
            TOOLCHAIN.replace(NIGHTLY, "").replace("minimal", "most"),
            OTHER_TOOLCHAIN.replace(NIGHTLY, ""),
        ),
        # Lists that share less than half, and the one element of a list that shares nothing.
        (
            GLOBS,
            GLOBS.replace("b\n    - c", "x\n    - y"),
            GLOBS.replace("    - a\n", "    - z\n    - a\n"),
        ),
        (
            "- steps:\n  - run: a\n    n: 1\n",
            "- steps:\n  - run: b\n    n: 1\n",
            "- steps:\n  - run: a\n    n: 2\n",
        ),
        (
            CHOICE.replace("bedtime", "1"),
            CHOICES.replace("bedtime", "1").replace("out", "away"),
            CHOICE.replace("bedtime", "1").replace("22", "23"),
        ),
        # The same leaf twice.
        (TOOLCHAIN, TOOLCHAIN.replace("minimal", "most"), OTHER_TOOLCHAIN),
    ],
)
def test_an_element_that_may_be_another_one_is_in_conflict(base: str, one: str, other: str) -> None:
    for sides in ((one, other), (other, one)):
        merged = merge(base, [Contribution(text, base, text) for text in sides])
        assert merged.text is None
        assert {each.kind for each in merged.conflicts} <= {Kind.BOTH_MODIFIED, Kind.LIST_INSERT}


def test_an_element_that_moved_is_not_the_one_that_stands_where_it_stood() -> None:
    shared = "- {run: a, name2: x, env: {A: 1, B: 2, C: 3}, shell: sh}\n"
    fresh = "- {run: b, name2: y, env: {A: 9, B: 8, C: 7}, shell: sh}\n"
    base, one = CHECKOUT + shared + RUN, CHECKOUT + fresh + RUN + shared
    other = CHECKOUT + shared.replace("shell: sh", "shell: bash") + RUN
    merged = merge(base, [Contribution(text, base, text) for text in (one, other)])
    assert merged.text is None
