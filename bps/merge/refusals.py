"""What cannot be merged at all: the edges tell it as INVALID_INPUT, or LIMIT_EXCEEDED."""

from __future__ import annotations


class Unreadable(ValueError):
    """One version is not YAML, or holds what cannot be kept byte-exactly.

    `label` names the version, `line` and `column` count from 1, `hint` is the next action.
    """

    def __init__(self, label: str, line: int, column: int, what: str, hint: str) -> None:
        super().__init__(f"{label}, line {line}, column {column}: {what}")
        self.label = label
        self.line = line
        self.column = column
        self.what = what
        self.hint = hint


class TooManyConflicts(Exception):
    """A merge met more conflicts than it was allowed; `labels` are those who have a part in them.

    Those met so far count, also where the entry around them would have become one conflict.
    """

    def __init__(self, most: int, labels: frozenset[str]) -> None:
        super().__init__(f"more than {most:,} conflicts")
        self.most = most
        self.labels = labels
