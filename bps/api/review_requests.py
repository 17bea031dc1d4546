"""What callers send to reviews."""

from __future__ import annotations

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from bps.api.requests import BranchText, NeededText, RequestModel, Text
from bps.core import ids
from bps.policy.model import MAX_CONTRIBUTORS
from bps.review.resolve import Choice

MAX_CHOICES = 256
_MAX_PATH = 4_096
_MAX_YAML = 65_536


class ClaimRequest(RequestModel):
    """For how long to work on the review alone."""

    minutes: int = Field(default=15, ge=1, le=15, description="Then it ends.", examples=[15])
    hold: bool = Field(
        default=False,
        description="Promotions of the plan by others wait meanwhile; once a review.",
        examples=[False],
    )


class ReleaseRequest(RequestModel):
    """Nothing; an empty body says the same."""


def _one_of(*names: str) -> dict[str, Any]:
    """Exactly one of these is there and a text."""
    return {
        "oneOf": [{"required": [name], "properties": {name: {"type": "string"}}} for name in names]
    }


class ChoiceRequest(RequestModel):
    """One decision: of a place or of a conflict; a side, or a value."""

    model_config = ConfigDict(
        json_schema_extra={"allOf": [_one_of("path", "conflict"), _one_of("take", "text")]}
    )

    path: str | None = Field(
        default=None,
        max_length=_MAX_PATH,
        description="The conflict's JSON Pointer.",
        examples=["/tasks/0/timeout_ms"],
    )
    conflict: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="The conflict's id, where a place has several.",
        json_schema_extra={"example": None},
    )
    take: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="`base`, `canonical`, or an RR-plan or branch that has a part in it.",
        examples=["canonical"],
    )
    text: str | None = Field(
        default=None,
        max_length=_MAX_YAML,
        description="A value as YAML.",
        json_schema_extra={"example": None},
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.path is None) == (self.conflict is None):
            msg = "give either path or conflict"
            raise ValueError(msg)
        if (self.take is None) == (self.text is None):
            msg = "give either take or text"
            raise ValueError(msg)
        return self


class ResolveRequest(RequestModel):
    """Decisions; one on the same conflict before is replaced."""

    resolutions: list[ChoiceRequest] = Field(
        min_length=1,
        max_length=MAX_CHOICES,
        examples=[[{"path": "/tasks/0/timeout_ms", "take": "canonical"}]],
    )

    def choices(self) -> tuple[Choice, ...]:
        """For the command."""
        return tuple(
            Choice(each.path, each.conflict, each.take, each.text) for each in self.resolutions
        )


class CompleteRequest(RequestModel):
    """Why, for the log."""

    reason: Text = Field(default="", description="Kept in the log.", examples=["decided"])


class RejectRequest(RequestModel):
    """Why RR-plans are refused for good, and which; none named: all that wait in the review."""

    reason: NeededText = Field(description="Kept in the log.", examples=["breaks the contract"])
    branches: list[BranchText] = Field(
        default=[],
        max_length=MAX_CONTRIBUTORS,
        description="Branches or RR-plans.",
        examples=[["br66400e4b"]],
    )

    def refs(self, plan: str) -> tuple[ids.BranchRef, ...]:
        """The RR-plans named, each once. Raises InvalidId."""
        return tuple(dict.fromkeys(ids.BranchRef.parse(plan, name) for name in self.branches))
