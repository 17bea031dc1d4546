"""What every named failure has."""

from __future__ import annotations

from typing import ClassVar, Self, TypeAlias

Fact: TypeAlias = "str | int | bool | list[Fact] | dict[str, Fact] | None"


class BpsError(Exception):
    """Something failed in a way that has no name of its own.

    Base of every named failure.

    Args:
        message: one sentence for a human, naming what was refused or what failed.
        **facts: JSON-safe details for programs; never secrets.
    """

    code: ClassVar[str] = "BPS_ERROR"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **facts: Fact) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts
        self.next_action: str | None = None

    def advising(self, next_action: str) -> Self:
        """This error, with what to do now where its code's row in the catalogue is too general."""
        self.next_action = next_action
        return self
