"""A page of a list, as every list of the service is read."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T", bound=BaseModel)

MAX_LIMIT = 500


class PageOf(BaseModel, Generic[T]):
    """`next_cursor` asks for the page after this one; null: this is the last."""

    model_config = ConfigDict(extra="forbid")

    items: list[T]
    next_cursor: str | None


class OpenPageOf(PageOf[T]):
    """`complete`: nothing is missing of what the service wrote or has shown; else some may be."""

    complete: bool
