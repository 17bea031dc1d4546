"""How routes read: a `Reading` for the request, and the headers that say how it went (R13)."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import Request

from bps.core.errors import InvalidInput
from bps.http.service import service_of
from bps.sidecar.degraded import Consistency, Reading

MIN_REVISION = "BPS-Min-Revision"
CONSISTENCY = "BPS-Consistency"
AGE = "BPS-Age-Ms"
DEGRADED = "BPS-Degraded"
LINEARIZABLE_LABEL = {CONSISTENCY: Consistency.LINEARIZABLE.value}

_FORM = "[0-9]{1,18}"


async def reading_of(
    request: Request,
    min_revision: Annotated[
        str | None,
        Header(
            alias=MIN_REVISION,
            description="Answer at this revision or a later one; else 503 with what there is.",
            json_schema_extra={"pattern": f"^{_FORM}$", "example": "1"},
        ),
    ] = None,
) -> Reading:
    """A dependency. Raises InvalidInput."""
    if min_revision is None:
        return service_of(request).sidecar.degraded.reading()
    if re.fullmatch(_FORM, min_revision) is None:
        msg = f"{MIN_REVISION} must be a revision: at most 18 decimal digits."
        raise InvalidInput(msg, field=MIN_REVISION)
    return service_of(request).sidecar.degraded.reading(int(min_revision))


RequestReading = Annotated[Reading, Depends(reading_of)]
"""What the request reads by."""


def labels(reading: Reading) -> dict[str, str]:
    """The headers that say how the answer was read, and how old it may be."""
    if reading.consistency is Consistency.LINEARIZABLE:
        return LINEARIZABLE_LABEL
    told = {CONSISTENCY: reading.consistency.value, AGE: str(reading.age_ms)}
    return told if reading.reason is None else {**told, DEGRADED: reading.reason}
