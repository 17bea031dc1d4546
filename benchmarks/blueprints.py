"""Blueprints of a given size whose text is made up the way that people's text is."""

from __future__ import annotations

import random

_TEXT = """
    the order service must retry payment after timeout queue worker schema index customer
    reservation stock level rollback window deploy canary region alert budget latency cache
    invalidate tenant migration backfill column checksum replica cursor page audit export
    contract webhook signature token rotate secret session limit quota batch idempotent ledger
"""
_WORDS = _TEXT.split()
_OWNERS = ("domain-modeller", "api-designer", "sre-on-call", "data-engineer", "qa-lead")
_HEADER = (
    "# Made for benchmarks; the text compresses about as real blueprints do.\n"
    "title: Checkout service\nversion: {variant}\nplan_type: EXECUTION\ntasks:\n"
)


def blueprint(source: random.Random, size_bytes: int, variant: int = 1) -> bytes:
    """A YAML blueprint of about `size_bytes`, a task of 300-600 bytes at a time."""
    parts = [_HEADER.format(variant=variant)]
    size, number = len(parts[0]), 0
    while size < size_bytes:
        number += 1
        needed = f"task_{source.randint(1, number - 1):03d}" if number > 1 else ""
        task = (
            f"  - id: task_{number:03d}\n"
            f"    title: {sentence(source, 5)}\n"
            f"    owner: {source.choice(_OWNERS)}\n"
            f"    estimate_h: {source.randint(1, 40)}\n"
            f"    depends_on: [{needed}]  # {sentence(source, 4)}\n"
            f"    description: >\n      {sentence(source, 14)}.\n      {sentence(source, 14)}.\n"
            f"    acceptance:\n      - {sentence(source, 9)}\n      - {sentence(source, 9)}\n"
        )
        parts.append(task)
        size += len(task)
    return "".join(parts).encode()


def sentence(source: random.Random, words: int) -> str:
    """So many words, the first one's first letter capital."""
    return " ".join(source.choices(_WORDS, k=words)).capitalize()
