"""The service leads and the store answers, yet it takes no writes for now."""

from __future__ import annotations

from bps.core.errors.base import BpsError


class AvailabilityError(BpsError):
    """The service takes no writes for now, although it leads and the store answers."""

    code = "AVAILABILITY_ERROR"
    retryable = True


class ReadOnly(AvailabilityError):
    """An operator has made the service read-only (R13).

    facts: by, why, since_ms, retry_after_s.
    """

    code = "READ_ONLY"


class ClockJump(AvailabilityError):
    """The clock of this host is not to be trusted for stamping events. facts: ahead_ms (R13)."""

    code = "CLOCK_JUMP"


class Overloaded(AvailabilityError):
    """More writes wait than can be done before their deadlines. facts: retry_after_s."""

    code = "OVERLOADED"


class WorkFailed(AvailabilityError):
    """A merge was not done in time, or its process ended; it may be done later."""

    code = "WORK_FAILED"
