"""What a validator may use, and how the worker is held to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one validator on one candidate; over them it is killed and blocks.

    Attributes:
        time_s: wall clock.
        memory_bytes: what it may take beyond what the process had when it began.
    """

    time_s: float = 5.0
    memory_bytes: int = 256 * 1_048_576


DEFAULT_LIMITS = Limits()
MAX_FINDINGS = 1_000
"""Findings of one validator that are told; one more says that there are others, and blocks."""
MAX_TEXT_CHARS = 2_000
"""Of a message or a hint; a longer one is cut visibly."""
