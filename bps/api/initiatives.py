"""Initiatives as they are asked for and listed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bps.api.requests import LINE_FORM, RequestModel, published
from bps.core import ids
from bps.core.codec import TimeMs
from bps.core.text import MAX_LINE, one_line
from bps.initiatives.create import CreateInitiative
from bps.initiatives.model import DEFAULT_ZONE, Initiative
from bps.initiatives.read import InitiativePage
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


class InitiativeView(BaseModel):
    """A row of `bps initiative list`.

    Of an `unreadable` one, whose record is damaged or of a newer release, only the id is known, and
    `why` says why it cannot be read.
    """

    model_config = ConfigDict(extra="forbid")

    initiative: str
    title: str | None
    zone: str | None
    created_ms: TimeMs | None
    created_by: str | None
    state: Literal["valid", "unreadable"]
    why: str | None

    @classmethod
    def of(cls, initiative: Initiative) -> InitiativeView:
        """From the record."""
        return cls(
            initiative=initiative.initiative,
            title=initiative.title,
            zone=initiative.zone,
            created_ms=initiative.created_ms,
            created_by=initiative.created_by,
            state="valid",
            why=None,
        )

    @classmethod
    def unreadable(cls, initiative: str, why: str) -> InitiativeView:
        """What is known of an initiative whose record cannot be read."""
        return cls(
            initiative=initiative,
            title=None,
            zone=None,
            created_ms=None,
            created_by=None,
            state="unreadable",
            why=why,
        )


def initiative_rows(page: InitiativePage) -> list[InitiativeView]:
    """All of a page by their ids, the unreadable ones too."""
    rows = [InitiativeView.of(initiative) for initiative in page.items]
    rows += [InitiativeView.unreadable(name, why.message) for name, why in page.unreadable.items()]
    return sorted(rows, key=lambda row: row.initiative)
