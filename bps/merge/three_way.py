"""Layout, three-way like all else, and never by the order of the sides."""

from __future__ import annotations

from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def picked(canonical: T, edits: Sequence[tuple[T, T]]) -> T:
    """What the editors, as (base, side), made of something in canonical.

    Canonical's where it has a change of its own, else of the changes the first by content.
    """
    changes = [side for base, side in edits if side != base == canonical]
    return min(changes, key=str) if changes else canonical
