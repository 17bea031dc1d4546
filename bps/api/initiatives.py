"""Initiatives as they are asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bps.api.requests import LINE_FORM, RequestModel, published
from bps.core import ids
from bps.core.text import MAX_LINE, one_line
from bps.initiatives.create import CreateInitiative
from bps.initiatives.model import DEFAULT_ZONE
from bps.initiatives.zones import ZONE_FORM, zone_name


class InitiativeRequest(RequestModel):
    """An initiative to be made."""

    initiative: Annotated[
        str,
        published(f"^{ids.INITIATIVE_FORM}$"),
        Field(description="Its id.", max_length=63, examples=["checkout-2026"]),
    ]
    title: Annotated[
        str,
        published(LINE_FORM),
        Field(description="One line for people.", max_length=MAX_LINE),
    ] = ""
    zone: Annotated[
        str,
        published(f"^{ZONE_FORM}$"),
        Field(
            description="IANA name of the time zone of its business days.",
            max_length=64,
            examples=["Europe/Berlin"],
        ),
    ] = DEFAULT_ZONE

    def command(self, principal: str, op_id: str) -> CreateInitiative:
        """The command that it asks for.

        Raises:
            InvalidId, InvalidInput: the id, the title or the zone are malformed or unknown.
        """
        title = one_line(self.title, "title")
        return CreateInitiative(
            principal, op_id, ids.initiative_id(self.initiative), title, zone_name(self.zone)
        )
