"""Requests to one service: bounded answers, named failures, reads repeated, writes never."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import tenacity

from bps.client.problems import MEDIA_TYPE, error_of, parse_problem
from bps.client.target import Target
from bps.client.unreachable import unreachable
from bps.core.errors import BpsError, ConfigError, OutcomeUnknown, Unavailable
from bps.identity.tls_files import load_ca, load_identity

MAX_ANSWER_BYTES = 32 * 2**20
"""The longest answer that is read: a page of events with the largest bodies fits."""
CONNECT_S = 5.0
ANSWER_S = 30.0
"""How long a byte may take to come; the service's own deadline for a command is 5 s."""
READ_ATTEMPTS = 4
MAX_RETRY_AFTER_S = 10.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_REDIRECTS, _REFUSALS, _SERVER_ERRORS = 300, 400, 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, read in full."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class RetryLater(Exception):
    """What the service said with `Retry-After`; `cause` is what the caller sees in the end."""

    def __init__(self, cause: BpsError, after_s: float) -> None:
        super().__init__(cause)
        self.cause = cause
        self.after_s = after_s


class Transport:
    """Use as an asynchronous context manager. Its representation shows no token."""

    def __init__(
        self, target: Target, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`transport` is for calling an application in this process.

        Raises:
            ConfigError: the certificates cannot be used.
        """
        self.target = target
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

        Raises:
            Unavailable: no attempt was answered.
            ConfigError: what answers is no BPS service.
            Whatever the service raised.
        """
        attempts = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(READ_ATTEMPTS),
            wait=_wait,
            retry=tenacity.retry_if_exception(_may_pass),
            reraise=True,
        )
        try:
            return await attempts(
                self._exchange, "GET", path, query=query, headers=headers, answer_s=answer_s
            )
        except RetryLater as later:
            raise later.cause from None

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
        """A request that writes: sent once, whatever happens.

        Raises:
            Unavailable: it was certainly not sent.
            OutcomeUnknown: it was sent and no answer came; repeat it with the same `op_id`.
            Whatever the service raised.
        """
        sent = {"Idempotency-Key": op_id, **(headers or {})}
        if content:
            sent["Content-Type"] = content_type
        try:
            return await self._exchange(
                method, path, query=query, headers=sent, content=content, op_id=op_id
            )
        except RetryLater as later:
            raise later.cause from None

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
                "GET", self._url(path), params=query, headers=headers, timeout=timeout
            ) as response:
                await self._check(response, None)
                yield response
        except httpx.TransportError as error:
            raise unreachable(error, self.target, None) from None

    async def _exchange(
        self,
        method: str,
        path: str,
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
                self._url(path),
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

    def _url(self, path: str) -> str:
        return self.target.url + path

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
        if after.isascii() and after.isdigit():
            raise RetryLater(error, float(after[:9]))
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
    if isinstance(error, RetryLater):
        return error.cause.retryable and error.after_s <= MAX_RETRY_AFTER_S
    return isinstance(error, Unavailable)


_BACKOFF = tenacity.wait_random_exponential(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S)


def _wait(state: tenacity.RetryCallState) -> float:
    error = None if state.outcome is None else state.outcome.exception()
    return error.after_s if isinstance(error, RetryLater) else _BACKOFF(state)


def query_of(values: Mapping[str, str | int | None] | None) -> dict[str, str]:
    """The query parameters that have a value, as text."""
    return {name: str(value) for name, value in (values or {}).items() if value is not None}
