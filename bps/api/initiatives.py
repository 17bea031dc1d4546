"""Initiatives as they are asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bps.api.requests import RequestModel
from bps.core import ids
from bps.core.errors import InvalidInput
from bps.initiatives.create import CreateInitiative
from bps.initiatives.model import DEFAULT_ZONE
from bps.initiatives.zones import zone_name

MAX_TITLE_LENGTH = 200


class InitiativeRequest(RequestModel):
    """An initiative to be made."""

    initiative: Annotated[
        str, Field(description="Its id.", max_length=63, examples=["checkout-2026"])
    ]
    title: Annotated[
        str, Field(description="One line for people.", max_length=MAX_TITLE_LENGTH)
    ] = ""
    zone: Annotated[
        str,
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
        if not self.title.isprintable():
            raise InvalidInput("The title must be printable, on one line.", field="title")
        return CreateInitiative(
            principal, op_id, ids.initiative_id(self.initiative), self.title, zone_name(self.zone)
        )
