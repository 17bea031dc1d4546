"""Contexts of the command line as they are shown; a token never is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ContextView(BaseModel):
    """A context; a row of `bps context list`."""

    model_config = ConfigDict(extra="forbid")

    name: str
    current: bool
    url: str
    token: Literal["none", "stored", "in a file"]
    token_file: str | None
    ca_file: str | None
    cert_file: str | None
    key_file: str | None
