"""Figures with their targets, and the table that a run ends with."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. Without a target it is there for information."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def target(self) -> str:
        """The bound as people write it."""
        if self.at_least is not None:
            return f">= {self.at_least:,g}"
        return f"<= {self.at_most:,g}" if self.at_most is not None else ""

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or nothing where there is no target."""
        if self.at_least is None and self.at_most is None:
            return ""
        low = self.at_least is not None and self.value < self.at_least
        high = self.at_most is not None and self.value > self.at_most
        return "MISSED" if low or high else "met"


def table(figures: Sequence[Figure]) -> str:
    """All figures, one a line."""
    rows = [("figure", "measured", "target", "verdict")]
    rows += [(f.name, f"{shown(f.value)} {f.unit}".strip(), f.target, f.verdict) for f in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(cell.ljust(widths[i]) for i, cell in enumerate(row)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def shown(value: float) -> str:
    """Three significant digits, or all digits before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def median_ratio(ours: Sequence[float], baseline: Sequence[float]) -> float:
    """The median of the ratios of neighbouring blocks, so that a drift of the machine cancels."""
    return statistics.median(a / b for a, b in zip(ours, baseline, strict=True))
