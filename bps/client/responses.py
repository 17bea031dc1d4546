"""What comes back from a service: read in full within a bound, or the error that it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from bps.client.problems import MEDIA_TYPE, error_of, parse_problem
from bps.client.retries import RetryLater
from bps.client.target import Target
from bps.core.errors import BpsError, ConfigError, OutcomeUnknown, Unavailable

MAX_ANSWER_BYTES = 32 * 2**20
"""The longest answer that is read: a page of events with the largest bodies fits."""
_REDIRECTS, _REFUSALS, _SERVER_ERRORS = 300, 400, 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, read in full."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


async def read_answer(response: httpx.Response, target: Target, op_id: str | None) -> Answer:
    """The answer of a request; `op_id` is given where it writes.

    Raises:
        RetryLater: the service says that it may be repeated.
        OutcomeUnknown: what answers a write is none of ours, and says nothing of the act.
        ConfigError, Unavailable: what answers is no BPS service.
        Whatever the service raised.
    """
    await check(response, target, op_id)
    body = await _body(response, target, op_id)
    return Answer(response.status_code, response.headers, body)


async def check(response: httpx.Response, target: Target, op_id: str | None) -> None:
    """Nothing for a success or 304; else the error that the service named."""
    status = response.status_code
    if status < _REDIRECTS or status == httpx.codes.NOT_MODIFIED:
        return
    if status < _REFUSALS:
        msg = f"{target.url} redirects to another address; name that one instead."
        raise ConfigError(msg).advising("Name the address that it redirects to.")
    body = await _body(response, target, op_id)
    is_problem = response.headers.get("content-type", "").partition(";")[0] == MEDIA_TYPE
    problem = parse_problem(body) if is_problem else None
    if problem is None:
        raise unreadable(target, status, op_id)
    error = error_of(status, problem, op_id=op_id)
    after = response.headers.get("retry-after", "")
    after_s = float(after[:9]) if after.isascii() and after.isdigit() else None
    if problem.get("retryable") is True:
        raise RetryLater(error, after_s)
    raise error


async def _body(response: httpx.Response, target: Target, op_id: str | None) -> bytes:
    """The whole answer. Raises where it is longer than any of ours, or compressed."""
    body = bytearray()
    if "content-encoding" in response.headers:
        raise unreadable(target, response.status_code, op_id)
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise unreadable(target, response.status_code, op_id)
    return bytes(body)


def unreadable(target: Target, status: int, op_id: str | None) -> BpsError:
    """The error for an answer that is none of ours."""
    what = f"What answers at {target.url} is not a BPS service (HTTP status {status})."
    # A gateway in between that gave up, or an answer cut short, says nothing of the act.
    if op_id is not None and (status >= _SERVER_ERRORS or status < _REDIRECTS):
        return OutcomeUnknown(f"{what} The outcome is unknown.", op=op_id)
    if status >= _SERVER_ERRORS:
        return Unavailable(what).advising(
            "Look at what stands before the service, and whether `bps serve` runs behind it."
        )
    return ConfigError(what).advising(
        "Correct the URL (--url, BPS_URL or the context): name a service's own address."
    )


def number_of(text: str) -> int:
    """The number that a header tells; 0 where it is none."""
    return int(text[:18]) if text.isascii() and text.isdigit() else 0
