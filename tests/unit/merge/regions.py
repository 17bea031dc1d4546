"""Entries of a document whose edits cannot meet."""

from __future__ import annotations

from tests.unit.merge.documents import Document, Entry, Items, below
from tests.unit.merge.leaves import IDENTITIES


def regions(document: Document) -> list[tuple[Entry, set[int]]]:
    """Entries that are known again wherever they stand, and all that is in each of them.

    No two of them share anything, and each lies in mappings and keyed lists only.
    """
    found: list[tuple[Entry, set[int]]] = []

    def descend(items: Items) -> None:
        if not items.mapping and items.identity in {"", "="}:
            return
        for entry in items.entries:
            if entry.value is None or entry.key in IDENTITIES or "a" in (entry.key or "")[:1]:
                continue
            found.append((entry, below(entry)))

    for page in document.pages[:1]:
        # A mapping with a question in it is merged as a whole, as is one that has a key twice.
        if _whole(page.root):
            return []
        descend(page.root)
    return found


def _whole(items: Items) -> bool:
    """Whether a collection does not come apart: it has a question, or room for comments in flow."""
    return items.spread or any(entry.question is not None for entry in items.entries)
