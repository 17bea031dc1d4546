"""How long a caller wants its write to take at most: the header `BPS-Timeout-Ms`."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.requests import Request

from bps.core.errors import InvalidInput
from bps.http.problems import shown
from bps.http.service import service_of

HEADER: Final = "BPS-Timeout-Ms"
MAX_TIMEOUT_MS: Final = 30_000
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,4}")

PARAMETER: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Milliseconds within which you want the answer, waiting included; by default the "
        "service's limits.write_timeout_s. What cannot make it is OVERLOADED and is not begun."
    ),
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_TIMEOUT_MS},
    "example": 5_000,
}
"""The same for the OpenAPI document: every request that writes takes it."""


def begin_deadline(request: Request) -> None:
    """Let the time of a request that writes run from now.

    Raises:
        InvalidInput: the header is no whole number from 1 to 30,000, or came twice.
    """
    service = service_of(request)
    given = request.headers.getlist(HEADER)
    timeout_s = service.limits.write_timeout_s
    if given:
        if not (
            len(given) == 1 and _NUMBER.fullmatch(given[0]) and int(given[0]) <= MAX_TIMEOUT_MS
        ):
            msg = f"{HEADER} must be a whole number from 1 to {MAX_TIMEOUT_MS}, not "
            raise InvalidInput(f"{msg}{shown(', '.join(given))}.", field=HEADER)
        timeout_s = int(given[0]) / 1_000
    request.state.deadline_s = service.sidecar.clock.monotonic_s() + timeout_s


def deadline_of(request: Request) -> float:
    """The instant of the sidecar's monotonic clock when the caller stops waiting."""
    deadline_s: float = request.state.deadline_s
    return deadline_s
