"""Keys of one mapping that are different ones in YAML, and one to some of its readers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations

from bps.blueprint.scalars import Kind, kinds
from bps.merge.elements import Element
from bps.merge.identity import by_key

_TRUE = ("y", "yes", "true", "on")
_BASES = {Kind.INT_2: 2, Kind.INT_8: 8, Kind.INT_10: 10, Kind.INT_16: 16}


def confused_keys(keys: Sequence[Hashable], versions: Sequence[Sequence[Element]]) -> list[str]:
    """A sentence on each two keys that came together here: no version has both.

    Readers may make text of a key (`1` and `"1"`), or read it as another YAML version does (`yes`
    and `true`, `010` and `8`).
    """
    read: dict[Hashable, list[Hashable]] = {}
    for key in keys:
        for reading in _readings(key):
            read.setdefault(reading, []).append(key)
    pairs = dict.fromkeys(pair for group in read.values() for pair in combinations(group, 2))
    together = [{by_key(entry) for entry in entries} for entries in versions if pairs]
    return [
        f"the keys {_shown(one)} and {_shown(other)} are one key to some readers"
        for one, other in pairs
        if not any(one in version and other in version for version in together)
    ]


def _readings(key: Hashable) -> set[Hashable]:
    """All that a key may be read as; plain ones that are no text to all come as `("plain", it)`."""
    if isinstance(key, str):
        return {key}
    if not (isinstance(key, tuple) and len(key) == 2 and key[0] == "plain"):  # noqa: PLR2004
        return set()
    spelling = str(key[1])
    found: set[Hashable] = {spelling}
    for kind in kinds(spelling):
        if kind is Kind.BOOL:
            found.add((kind, spelling.lower() in _TRUE))
        elif kind in _BASES:
            found.add(("integer", int(spelling.replace("_", ""), _BASES[kind])))
    return found


def _shown(key: Hashable) -> str:
    return f'"{key}"' if isinstance(key, str) else str(key[1]) if isinstance(key, tuple) else ""
