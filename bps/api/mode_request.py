"""What callers send to make the service read-only, or let it write again."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from bps.api.requests import SAYING_FORM, RequestModel, Text


class ModeRequest(RequestModel):
    """Whether the sidecars may write."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"mode": {"const": "READ_ONLY"}}, "required": ["mode"]},
            "then": {"properties": {"reason": {"minLength": 1, "pattern": SAYING_FORM}}},
        }
    )

    mode: Literal["READ_WRITE", "READ_ONLY"] = Field(examples=["READ_WRITE"])
    reason: Text = Field(
        description="Told to writers that are refused, so that READ_ONLY needs one.",
        examples=["it is over"],
    )
