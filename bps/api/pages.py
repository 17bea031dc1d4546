"""A page of a list, as every list of the service is read."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T", bound=BaseModel)

MAX_LIMIT = 500


class PageOf(BaseModel, Generic[T]):
    """`next_cursor` asks for the page after this one; null: this is the last."""

    model_config = ConfigDict(extra="forbid")

    items: list[T]
    next_cursor: str | None


class UnreadablePlan(BaseModel):
    """A plan of which a record is damaged, or of a newer release; `code` is in docs/errors.md."""

    model_config = ConfigDict(extra="forbid")

    plan: str
    code: str
    detail: str


class ReadablePageOf(PageOf[T]):
    """What can be read; `unreadable` is there only if it holds something, and is of this page."""

    unreadable: list[UnreadablePlan] = Field(default_factory=list)


class OpenPageOf(ReadablePageOf[T]):
    """`complete`: nothing is missing of what the service wrote or has shown; else some may be."""

    complete: bool
