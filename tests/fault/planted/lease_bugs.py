"""Protections of a term of leadership, taken away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from bps.core.ports import Clock
from bps.leadership.election import Leadership
from bps.leadership.modes import Facts
from bps.leadership.validity import LeaseValidity
from bps.sidecar import terms
from tests.doubles.forwarding_store import ForwardingStore
from tests.fault.planted.bugs import bug, replaced


class _WallClock:
    """A clock that has only its wall."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def monotonic_s(self) -> float:
        return self._clock.now_ms() / 1000

    async def sleep(self, delay_s: float) -> None:
        await self._clock.sleep(delay_s)


@bug
def lease_by_the_wall_clock() -> Iterator[None]:
    """The validity of a lease is counted on a clock that can be set back."""

    def of(init: Any) -> Any:
        def walled(self: Any, store: Any, clock: Clock, *arguments: Any, **options: Any) -> None:
            init(self, store, _WallClock(clock), *arguments, **options)

        return walled

    with replaced(Leadership, "__init__", of):
        yield


@bug
def lease_from_the_reply() -> Iterator[None]:
    """The validity of a lease is counted from when the keepalive's answer was read."""

    class Stamped(ForwardingStore):
        answered_s = 0.0

        def __init__(self, inner: Any, clock: Clock) -> None:
            super().__init__(inner)
            self._clock = clock

        async def lease_keepalive(self, lease_id: int) -> int:
            ttl_s = await super().lease_keepalive(lease_id)
            Stamped.answered_s = self._clock.monotonic_s()
            return ttl_s

    def starting(init: Any) -> Any:
        def stamped(self: Any, store: Any, clock: Clock, *arguments: Any, **options: Any) -> None:
            Stamped.answered_s = 0.0
            init(self, Stamped(store, clock), clock, *arguments, **options)

        return stamped

    def renewing(renewed: Any) -> Any:
        def late(self: LeaseValidity, sent_s: float, ttl_s: int) -> Any:
            return renewed(self, max(sent_s, Stamped.answered_s), ttl_s)

        return late

    with ExitStack() as stack:
        stack.enter_context(replaced(Leadership, "__init__", starting))
        stack.enter_context(replaced(LeaseValidity, "renewed", renewing))
        yield


@bug
def late_keepalive_resumes_the_term() -> Iterator[None]:
    """A keepalive that is answered after the validity ended begins a new one."""
    with ExitStack() as stack:
        stack.enter_context(replaced(Leadership, "_holds_lease", lambda _: lambda _: True))
        stack.enter_context(
            replaced(
                LeaseValidity,
                "renewed",
                lambda _: lambda _, sent_s, ttl_s: LeaseValidity(sent_s, ttl_s),
            )
        )
        yield


@bug
def hold_ignored() -> Iterator[None]:
    """Whatever forbids writing, a leader writes."""

    def of(standing: Any) -> Any:
        def unhindered(facts: Facts, *_: Any) -> Any:
            return standing(Facts(facts.term, facts.ended))

        return unhindered

    with replaced(terms, "standing", of):
        yield
