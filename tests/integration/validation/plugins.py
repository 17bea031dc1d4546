"""Distributions made for a test: one module of validators each, found by its entry points."""

from __future__ import annotations

from pathlib import Path

HEAD = """
from bps.validation.api import Candidate, Finding, Severity, Validator
ERROR = Severity.ERROR
"""


def distribution(place: Path, name: str, source: str, **validators: str) -> None:
    """Lay a distribution out in `place` as an installer does: `validators` are names and classes.

    `_` in a name stands for `-`.
    """
    module = name.replace("-", "_")
    (place / f"{module}.py").write_text(HEAD + source)
    info = place / f"{module}-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n")
    points = "".join(
        f"{point.replace('_', '-')} = {module}:{kind}\n" for point, kind in validators.items()
    )
    (info / "entry_points.txt").write_text(f"[bps.validators]\n{points}")


def judge(name: str, body: str) -> str:
    """The source of a validator whose `validate` has this body."""
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    return f"\nclass {name}(Validator):\n    def validate(self, candidate):\n{lines}\n"
