"""Promotions sent one after the other, whatever comes back: when is one acknowledged again?

One each 20 ms to each sidecar asked, with a deadline of its own and a new key, so that a call that
hangs hides nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count, pairwise
from time import perf_counter

import httpx
import orjson

from tests.fault.attempt import UNREACHABLE, understood
from tests.fault.history import Ok, Refused

PERIOD_S = 0.02
WITHIN_S = 0.5
_HTTP_S = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one promotion: done, or `code`; `reason`: why the sidecar is read-only."""

    url: str
    sent_s: float
    answered_s: float
    code: str = ""
    reason: str | None = None

    @property
    def acknowledged(self) -> bool:
        """Whether it was done."""
        return not self.code

    @property
    def took_s(self) -> float:
        """From sending to the answer."""
        return self.answered_s - self.sent_s


class PromotionProbe:
    """`plans` each have something to promote; who is refused is sent again later."""

    def __init__(self, token: str, plans: list[str]) -> None:
        self.answers: list[Answer] = []
        self._plans = plans
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "BPS-Timeout-Ms": str(round(WITHIN_S * 1_000)),
        }
        self._keys: Iterator[int] = count()
        no_limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = httpx.AsyncClient(trust_env=False, timeout=_HTTP_S, limits=no_limits)
        self._under_way: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def asking(self, urls: Sequence[str]) -> AsyncIterator[None]:
        """Ask these sidecars until the end of the block."""
        task = asyncio.create_task(self._ask(urls))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await asyncio.gather(*self._under_way)
            await self._http.aclose()

    async def first(self, wanted: Callable[[Answer], bool], deadline_s: float) -> Answer:
        """The first answer to be `wanted`, those of before included. Raises TimeoutError."""
        seen = 0
        async with asyncio.timeout(deadline_s):
            while True:
                for answer in self.answers[seen:]:
                    if wanted(answer):
                        return answer
                seen = len(self.answers)
                await asyncio.sleep(PERIOD_S / 4)

    def last_acknowledged_s(self, before_s: float) -> float:
        """When the last promotion before the instant was acknowledged."""
        return max(a.answered_s for a in self.answers if a.acknowledged and a.answered_s < before_s)

    def longest_pause_s(self, from_s: float, to_s: float) -> float:
        """The longest time without an acknowledgement that ends in that span."""
        ends_s = sorted(a.answered_s for a in self.answers if a.acknowledged)
        return max(end - begin for begin, end in pairwise(ends_s) if from_s <= end <= to_s)

    async def _ask(self, urls: Sequence[str]) -> None:
        started_s = perf_counter()
        for number in count(1):
            for url in urls:
                task = asyncio.create_task(self._promote(url, self._plans.pop()))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(started_s + number * PERIOD_S - perf_counter())

    async def _promote(self, url: str, plan: str) -> None:
        headers = self._headers | {"Idempotency-Key": f"probe-{plan}-{next(self._keys)}"}
        sent_s = perf_counter()
        try:
            response = await self._http.post(
                f"{url}/v1/plans/{plan}/promotions", headers=headers, content=b"{}"
            )
        except httpx.ConnectError:
            self._plans.insert(0, plan)
            self.answers.append(Answer(url, sent_s, perf_counter(), UNREACHABLE))
            return
        except httpx.TransportError as error:
            code = type(error).__name__
            self.answers.append(Answer(url, sent_s, perf_counter(), code))
            return
        answered_s = perf_counter()
        outcome = understood(response).outcome
        if isinstance(outcome, Ok):
            self.answers.append(Answer(url, sent_s, answered_s))
            return
        if isinstance(outcome, Refused):
            self._plans.insert(0, plan)
        self.answers.append(Answer(url, sent_s, answered_s, outcome.code, _reason(response)))


def _reason(response: httpx.Response) -> str | None:
    try:
        facts = orjson.loads(response.content)["facts"]
    except (orjson.JSONDecodeError, KeyError):
        return None
    reason = facts.get("reason")
    return reason if isinstance(reason, str) else None
