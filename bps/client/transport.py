"""Requests to one service: bounded answers, named failures; repeated where that is safe.

A read is repeated where the failure may pass; a write only where an answer came that says so, with
the same idempotency key. Both end at the caller's deadline.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from bps.client.leader import leader_url
from bps.client.responses import Answer, check, number_of, read_answer
from bps.client.retries import RetryLater, may_pass, repeating, says_again
from bps.client.target import Target
from bps.client.tls import context_of
from bps.client.unreachable import unreachable
from bps.core.errors import (
    AccessError,
    ConfigError,
    OutcomeUnknown,
    RequestError,
    Unavailable,
)

MIN_REVISION = "BPS-Min-Revision"
CONNECT_S = 5.0
ANSWER_S = 30.0
"""How long a byte may take to come; the service's own deadline for a command is 5 s."""
TIMEOUT_S = 10.0
MIN_TIMEOUT_S, MAX_TIMEOUT_S = 0.001, 30.0
MAX_HOPS = 2
TIMEOUT_HEADER = "BPS-Timeout-Ms"
_REASON = 40


@dataclass(frozen=True, slots=True)
class Staleness:
    """What a degraded answer says of itself: why, at which revision, how old at the most."""

    reason: str
    revision: int
    age_ms: int


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
            verify=context_of(target),
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
            answer: Answer = await repeating(may_pass, self._timeout_s)(
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
            return await repeating(says_again, self._timeout_s)(attempt)
        except RetryLater as later:
            # What an earlier attempt left unknown, a later refusal for now does not settle.
            raise (doubt or later.cause) from None
        except (Unavailable, AccessError, ConfigError, RequestError):
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
                await check(response, self.target, None)
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
                return await read_answer(response, self.target, op_id)
        except httpx.TransportError as error:
            raise unreachable(error, self.target, op_id) from None


def query_of(values: Mapping[str, str | int | None] | None) -> dict[str, str]:
    """The query parameters that have a value, as text."""
    return {name: str(value) for name, value in (values or {}).items() if value is not None}
