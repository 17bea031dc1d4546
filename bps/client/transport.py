"""Requests to one service: bounded answers, named failures; repeated where that is safe.

A read is repeated where the failure may pass; a write only where an answer came that says so, with
the same idempotency key. Both end at the caller's deadline.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import tenacity

from bps.client.leader import leader_url
from bps.client.problems import MEDIA_TYPE, error_of, parse_problem
from bps.client.target import Target
from bps.client.unreachable import unreachable
from bps.core.errors import BpsError, ConfigError, OutcomeUnknown, Unavailable
from bps.identity.tls_files import load_ca, load_identity

MIN_REVISION = "BPS-Min-Revision"
MAX_ANSWER_BYTES = 32 * 2**20
"""The longest answer that is read: a page of events with the largest bodies fits."""
CONNECT_S = 5.0
ANSWER_S = 30.0
"""How long a byte may take to come; the service's own deadline for a command is 5 s."""
TIMEOUT_S = 10.0
MIN_TIMEOUT_S, MAX_TIMEOUT_S = 0.001, 30.0
ATTEMPTS = 4
MAX_RETRY_AFTER_S = 10.0
MAX_HOPS = 2
TIMEOUT_HEADER = "BPS-Timeout-Ms"
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_REASON = 40
_REDIRECTS, _REFUSALS, _SERVER_ERRORS = 300, 400, 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, read in full."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Staleness:
    """What a degraded answer says of itself: why, at which revision, how old at the most."""

    reason: str
    revision: int
    age_ms: int


class RetryLater(Exception):
    """The service said that it may be repeated; `cause` is what the caller sees in the end.

    `after_s` is its `Retry-After`.
    """

    def __init__(self, cause: BpsError, after_s: float | None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.after_s = after_s


class Transport:
    """Use as an asynchronous context manager. Its representation shows no token."""

    def __init__(
        self,
        target: Target,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`transport` is for calling an application in this process.

        `timeout_s` is how long an act may take, and until when anything is repeated.

        Raises:
            ConfigError: the certificates cannot be used, or `timeout_s` is not up to 30 s.
        """
        if not MIN_TIMEOUT_S <= timeout_s <= MAX_TIMEOUT_S:
            msg = f"A timeout is from {MIN_TIMEOUT_S:g} to {MAX_TIMEOUT_S:g} s, not {timeout_s:g}."
            raise ConfigError(msg).advising("Correct --timeout (BPS_TIMEOUT_S).")
        self.target = target
        self.seen_revision = 0
        self.staleness: Staleness | None = None
        self._timeout_s = timeout_s
        authorization = {} if target.token is None else {"Authorization": f"Bearer {target.token}"}
        self._client = httpx.AsyncClient(
            verify=_tls(target),
            # Proxies and .netrc of the environment would see the token.
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            headers={
                # A compressed answer could be a bomb.
                "Accept-Encoding": "identity",
                "User-Agent": "bps-client",
                **authorization,
            },
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"Transport({self.target.url!r})"

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def read(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        answer_s: float = ANSWER_S,
    ) -> Answer:
        """GET; up to 4 attempts where the failure may pass, waiting as `Retry-After` says.

        Never answers at a revision before one that this object has seen.

        Raises:
            Unavailable: no attempt was answered.
            ConfigError: what answers is no BPS service.
            Whatever the service raised.
        """
        sent = dict(headers or {})
        if self.seen_revision:
            sent[MIN_REVISION] = str(self.seen_revision)
        try:
            answer: Answer = await self._repeating(_may_pass)(
                self._exchange, "GET", path, query=query, headers=sent, answer_s=answer_s
            )
        except RetryLater as later:
            raise later.cause from None
        self._learn(answer)
        return answer

    def _learn(self, answer: Answer) -> None:
        """Keep the highest revision seen, and the oldest of the degraded answers."""
        revision = number_of(answer.headers.get("bps-revision", ""))
        self.seen_revision = max(self.seen_revision, revision)
        reason = answer.headers.get("bps-degraded")
        if reason is None:
            return
        found = Staleness(
            reason[:_REASON], revision, number_of(answer.headers.get("bps-age-ms", ""))
        )
        if self.staleness is None or found.age_ms > self.staleness.age_ms:
            self.staleness = found

    async def write(
        self,
        method: str,
        path: str,
        *,
        op_id: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        content_type: str = "application/json",
    ) -> Answer:
        """A request that writes; at a standby it goes on to the leader that the answer names.

        Repeated with the same `op_id` where an answer says that it may be, up to 4 times and to
        the deadline, which the service is told.

        Raises:
            Unavailable: it was certainly not sent.
            OutcomeUnknown: it was sent and no answer came; repeat it with the same `op_id`.
            Whatever the service raised.
        """
        sent = {"Idempotency-Key": op_id, **(headers or {})}
        if content:
            sent["Content-Type"] = content_type
        end_s = time.monotonic() + self._timeout_s
        doubt: OutcomeUnknown | None = None

        async def attempt() -> Answer:
            nonlocal doubt
            left_ms = max(round((end_s - time.monotonic()) * 1_000), 1)
            try:
                return await self._at_leader(
                    method,
                    path,
                    query=query,
                    headers={**sent, TIMEOUT_HEADER: str(left_ms)},
                    content=content,
                    op_id=op_id,
                )
            except RetryLater as later:
                if isinstance(later.cause, OutcomeUnknown):
                    doubt = later.cause
                raise

        try:
            return await self._repeating(_says_again)(attempt)
        except RetryLater as later:
            # What an earlier attempt left unknown, a later refusal for now does not settle.
            raise (doubt or later.cause) from None
        except Unavailable:
            if doubt is not None:
                raise doubt from None
            raise

    async def _at_leader(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: bytes,
        op_id: str,
    ) -> Answer:
        """One attempt, at most two sidecars further than the one that was named."""
        url = self.target.url
        for _ in range(MAX_HOPS):
            try:
                return await self._exchange(
                    method, path, url, query=query, headers=headers, content=content, op_id=op_id
                )
            except RetryLater as later:
                leader = leader_url(later.cause, self.target)
                if leader is None or leader == url:
                    raise
                url = leader
        return await self._exchange(
            method, path, url, query=query, headers=headers, content=content, op_id=op_id
        )

    def _repeating(self, again: Callable[[BaseException], bool]) -> tenacity.AsyncRetrying:
        """Attempts that end before the deadline would pass in a pause."""
        return tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS)
            | tenacity.stop_before_delay(self._timeout_s),
            wait=_wait,
            retry=tenacity.retry_if_exception(again),
            reraise=True,
        )

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        silence_s: float,
    ) -> AsyncIterator[httpx.Response]:
        """A GET whose answer goes on; nothing for `silence_s` seconds is Unavailable."""
        timeout = httpx.Timeout(silence_s, connect=CONNECT_S)
        try:
            async with self._client.stream(
                "GET", self.target.url + path, params=query, headers=headers, timeout=timeout
            ) as response:
                await self._check(response, None)
                yield response
        except httpx.TransportError as error:
            raise unreachable(error, self.target, None) from None

    async def _exchange(
        self,
        method: str,
        path: str,
        url: str | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        op_id: str | None = None,
        answer_s: float = ANSWER_S,
    ) -> Answer:
        timeout = httpx.Timeout(answer_s, connect=CONNECT_S)
        try:
            async with self._client.stream(
                method,
                (url or self.target.url) + path,
                params=query,
                headers=headers,
                content=content,
                timeout=timeout,
            ) as response:
                await self._check(response, op_id)
                body = await self._body(response, op_id)
                return Answer(response.status_code, response.headers, body)
        except httpx.TransportError as error:
            raise unreachable(error, self.target, op_id) from None

    async def _check(self, response: httpx.Response, op_id: str | None) -> None:
        """Nothing for a success or 304; else the error that the service named."""
        status = response.status_code
        if status < _REDIRECTS or status == httpx.codes.NOT_MODIFIED:
            return
        if status < _REFUSALS:
            msg = f"{self.target.url} redirects to another address; name that one instead."
            raise ConfigError(msg).advising("Name the address that it redirects to.")
        body = await self._body(response, op_id)
        is_problem = response.headers.get("content-type", "").partition(";")[0] == MEDIA_TYPE
        problem = parse_problem(body) if is_problem else None
        if problem is None:
            raise self._foreign(status, op_id)
        error = error_of(status, problem, op_id=op_id)
        after = response.headers.get("retry-after", "")
        after_s = float(after[:9]) if after.isascii() and after.isdigit() else None
        if problem.get("retryable") is True:
            raise RetryLater(error, after_s)
        raise error

    async def _body(self, response: httpx.Response, op_id: str | None) -> bytes:
        """The whole answer. Raises where it is longer than any of ours, or compressed."""
        body = bytearray()
        if "content-encoding" in response.headers:
            raise self._foreign(response.status_code, op_id)
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise self._foreign(response.status_code, op_id)
        return bytes(body)

    def unreadable(self, status: int, op_id: str | None) -> BpsError:
        """The error for an answer that is none of ours."""
        return self._foreign(status, op_id)

    def _foreign(self, status: int, op_id: str | None) -> BpsError:
        what = f"What answers at {self.target.url} is not a BPS service (HTTP status {status})."
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


def _tls(target: Target) -> ssl.SSLContext:
    if target.url.startswith("http:"):
        # Never used; an empty one spares reading the system's certificates.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Without a CA of its own the system's are trusted.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if target.ca_file is None:
        context.load_default_certs()
    else:
        load_ca(context, target.ca_file, name=f"The CA file {_shown(target.ca_file)}")
    if target.cert_file is not None and target.key_file is not None:
        load_identity(
            context,
            target.cert_file,
            target.key_file,
            cert_name=f"The certificate file {_shown(target.cert_file)}",
            key_name=f"The key file {_shown(target.key_file)}",
        )
    return context


def _shown(path: Path) -> str:
    return ascii(str(path)[:200])


def _may_pass(error: BaseException) -> bool:
    return _says_again(error) or isinstance(error, Unavailable)


def _says_again(error: BaseException) -> bool:
    if not isinstance(error, RetryLater):
        return False
    return error.after_s is None or error.after_s <= MAX_RETRY_AFTER_S


_BACKOFF = tenacity.wait_random_exponential(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S)


def _wait(state: tenacity.RetryCallState) -> float:
    """Full jitter; on top of `Retry-After` too, which all that were refused at once share."""
    error = None if state.outcome is None else state.outcome.exception()
    least_s = (error.after_s or 0.0) if isinstance(error, RetryLater) else 0.0
    return least_s + _BACKOFF(state)


def number_of(text: str) -> int:
    """The number that a header tells; 0 where it is none."""
    return int(text[:18]) if text.isascii() and text.isdigit() else 0


def query_of(values: Mapping[str, str | int | None] | None) -> dict[str, str]:
    """The query parameters that have a value, as text."""
    return {name: str(value) for name, value in (values or {}).items() if value is not None}
