"""Time zones by their IANA names."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bps.core.errors import InvalidInput

_LOCAL = {"localtime", "posixrules", "Factory"}
"""Entries of the database that mean another zone on each machine, or none."""
ZONE_FORM: Final = r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}"
_NAME = re.compile(ZONE_FORM)


def zone_name(text: str) -> str:
    """A zone that this machine's time zone database knows, such as Europe/Berlin.

    Raises:
        InvalidInput: it knows none of that name.
    """
    if _NAME.fullmatch(text) is not None and text not in _LOCAL:
        if text == "UTC":
            return text
        try:
            return ZoneInfo(text).key
        except (ZoneInfoNotFoundError, OSError, ValueError):
            pass
    msg = f"{text[:60]!a} is no time zone that is known here; one looks like Europe/Berlin."
    raise InvalidInput(msg, field="zone")
