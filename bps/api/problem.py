"""What every error answer of the service is made of (RFC 9457)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """The body of `application/problem+json`; `code` is for programs, `detail` for people."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(examples=["/problems/not-found"])
    title: str = Field(examples=["No such record."])
    status: int = Field(ge=400, le=599, examples=[404])
    detail: str = Field(examples=["There is no plan EP-42."])
    code: str = Field(examples=["NOT_FOUND"])
    retryable: bool = Field(examples=[False])
    next_action: str = Field(examples=["List what is there (`bps plan list`)."])
    facts: dict[str, Any] = Field(examples=[{"plan": "EP-42"}])
    instance: str = Field(examples=["/v1/plans/EP-42"])
    trace_id: str = Field(examples=["4bf92f3577b34da6a3ce929d0e0e4736"])
