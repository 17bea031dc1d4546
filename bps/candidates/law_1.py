"""Law 1 of the merge (design, "Merge"): results that no merge is needed for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

V = TypeVar("V")


def law_1(canonical: V, edits: Sequence[tuple[V, V]]) -> V | None:
    """The result that needs no merge: merge(b, b, x) = x and merge(b, x, x) = x.

    `edits` are (base, edited). Only equality counts, so that versions can be given by their digests
    or as their texts. None: a real merge has to tell.
    """
    active = [(base, edited) for base, edited in edits if edited not in {canonical, base}]
    if any(base != canonical for base, _ in active):
        return None
    results = {edited for _, edited in active}
    if len(results) > 1:
        return None
    return results.pop() if results else canonical
