"""Lists by pages: the cursor of the next one names the list and the last item of this one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BeforeValidator, Field

from bps.api.pages import MAX_LIMIT
from bps.core.errors import BpsError, InvalidInput

T = TypeVar("T")

DEFAULT_LIMIT = 100
_MAX_CURSOR = 256
_MAX_DIGITS = 19


def digits(text: object) -> int:
    """A number as plain decimal digits; `+5`, `5.0`, `05` and `1_0` are none.

    Raises ValueError.
    """
    plain = isinstance(text, str) and text.isascii() and text.isdigit()
    if not plain or len(str(text)) > _MAX_DIGITS or (str(text)[0] == "0" and text != "0"):
        msg = "it has to be a whole number in plain decimal digits"
        raise ValueError(msg)
    return int(str(text))


Limit = Annotated[
    int,
    Field(ge=1, le=MAX_LIMIT),
    BeforeValidator(digits),
    Query(description="How many items at most.", examples=[100]),
]
Cursor = Annotated[
    str | None,
    Query(
        description="`next_cursor` of the page before; opaque.",
        json_schema_extra={"maxLength": _MAX_CURSOR},
    ),
]


def cursor_of(listing: str, last: str) -> str:
    """The cursor that continues `listing` after the item named `last`."""
    return urlsafe_b64encode(f"{listing}\n{last}".encode()).rstrip(b"=").decode()


def after(cursor: str | None, listing: str, parse: Callable[[str], T]) -> T | None:
    """The last item of the page before, parsed by `parse`; None at the beginning.

    Raises:
        InvalidInput: it is no cursor of this list.
    """
    if cursor is None:
        return None
    try:
        return parse(_last_of(cursor, listing))
    except (ValueError, BpsError):
        msg = "The cursor is none of this list; take `next_cursor` as it was, or leave it out."
        raise InvalidInput(msg, field="cursor") from None


def _last_of(cursor: str, listing: str) -> str:
    padded = cursor + "=" * (-len(cursor) % 4)
    of, _, last = urlsafe_b64decode(padded.encode("ascii")).decode("ascii").partition("\n")
    # Decoding lets pass what it should not; the cursor that we made is the only one.
    if len(cursor) > _MAX_CURSOR or of != listing or cursor_of(of, last) != cursor:
        msg = "another list's, or none at all"
        raise ValueError(msg)
    return last
