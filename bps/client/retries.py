"""When a request is repeated, how often, and how long it waits before."""

from __future__ import annotations

from collections.abc import Callable

import tenacity

from bps.core.errors import BpsError, Unavailable

ATTEMPTS = 4
MAX_RETRY_AFTER_S = 10.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0


class RetryLater(Exception):
    """The service said that it may be repeated; `cause` is what the caller sees in the end.

    `after_s` is its `Retry-After`.
    """

    def __init__(self, cause: BpsError, after_s: float | None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.after_s = after_s


def repeating(again: Callable[[BaseException], bool], timeout_s: float) -> tenacity.AsyncRetrying:
    """Attempts that end before the deadline would pass in a pause."""
    return tenacity.AsyncRetrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(timeout_s),
        wait=_wait,
        retry=tenacity.retry_if_exception(again),
        reraise=True,
    )


def may_pass(error: BaseException) -> bool:
    """Whether a read is worth another attempt."""
    return says_again(error) or isinstance(error, Unavailable)


def says_again(error: BaseException) -> bool:
    """Whether an answer came that lets the request be repeated, soon enough."""
    if not isinstance(error, RetryLater):
        return False
    return error.after_s is None or error.after_s <= MAX_RETRY_AFTER_S


_BACKOFF = tenacity.wait_random_exponential(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S)


def _wait(state: tenacity.RetryCallState) -> float:
    """Full jitter; on top of `Retry-After` too, which all that were refused at once share."""
    error = None if state.outcome is None else state.outcome.exception()
    least_s = (error.after_s or 0.0) if isinstance(error, RetryLater) else 0.0
    return least_s + _BACKOFF(state)
