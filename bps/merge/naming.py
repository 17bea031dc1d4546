"""Scalars of a list that name one thing: `LOG=a` and `LOG=b`, `numpy>=1.20` and `numpy==1.21`.

Each alone is an addition, both together contradict one another: who wants `LOG` twice writes so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bps.merge.elements import Element
from bps.merge.source import SCALAR

_NAME = r"-{0,2}[\w.][^\s=<>~!@:]*"
_NAMED = re.compile(rf"({_NAME})(?:\s*(?:[<>~!]?={{1,3}}|[<>]).*)?|(\S*[^\s@])@[vV]?\d[^\s@]*")
"""A name alone or with a value: `=` and its kind, or a version behind `@`. A colon says too little:
`host:80` and `host:443` are two things."""


def name_of(element: Element) -> str | None:
    """What a scalar names; None where it is none, or says more or less than one name."""
    value = element.value
    if value is None or value.kind != SCALAR or value.block_scalar:
        return None
    found = _NAMED.fullmatch(value.value)
    return None if found is None else found[1] or found[2]


def names_in(
    additions: Sequence[Sequence[Element]], versions: Iterable[Sequence[Element]]
) -> set[str]:
    """The names that several of `additions` have, and no version twice.

    Cost: a regular expression an addition, and where they share a name one an element.
    """
    named = [{name for each in made if (name := name_of(each)) is not None} for made in additions]
    shared = {
        name for name, count in Counter(n for each in named for n in each).items() if count > 1
    }
    for version in versions if shared else ():
        counts = Counter(name_of(each) for each in version)
        shared = {name for name in shared if counts[name] < 2}  # noqa: PLR2004 - twice
    return shared
