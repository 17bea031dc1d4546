"""What a checker finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lost", "duplicated", "old-fence", "non-linearizable"]

KINDS: tuple[Kind, ...] = ("lost", "duplicated", "old-fence", "non-linearizable")


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise.

    lost: what was acknowledged is not there, or the log does not prove it any more. duplicated:
    one operation took effect twice. old-fence: a write outside of its writer's term.
    non-linearizable: what clients saw fits no order of the operations; so does an effect of what
    was refused or of what nobody asked for, and a search that did not end in time.
    """

    kind: Kind
    checker: str
    plan: str
    ops: tuple[str, ...]
    what: str

    def __str__(self) -> str:
        named = f" [{', '.join(self.ops)}]" if self.ops else ""
        return f"{self.kind}: {self.plan}: {self.what}{named} ({self.checker})"
