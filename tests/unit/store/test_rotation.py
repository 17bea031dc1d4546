"""Reads go on to other members for as long as their bound lasts, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest
from grpc import StatusCode

from bps.core.errors import Compacted, QuorumLost
from bps.store.failures import Refusal, classify
from bps.store.rotation import rotating
from tests.asynchronous import asynchronous

_Ask = Callable[[float], Coroutine[None, None, int]]


def refusal(text: str, code: StatusCode = StatusCode.UNAVAILABLE) -> Refusal:
    return Refusal(classify(code, text), code, text, "127.0.0.1:1")


def asking(*outcomes: Refusal | int) -> tuple[_Ask, list[float]]:
    """Something to ask, whose outcomes come in turn, the last for ever; and when it was asked."""
    ends: list[float] = []

    async def ask(end: float) -> int:
        outcome = outcomes[min(len(ends), len(outcomes) - 1)]
        ends.append(end)
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    return ask, ends


@asynchronous
async def test_the_first_answer_is_taken() -> None:
    no_leader = refusal("etcdserver: no leader")
    ask, ends = asking(no_leader, no_leader, 7)
    # Not a coroutine function, as a lambda is not.
    assert await rotating(lambda end: ask(end), bound_s=5.0) == 7  # noqa: PLW0108
    assert len(ends) == 3
    assert len({*ends}) == 1, "the bound moved"


@asynchronous
async def test_what_no_member_can_answer_is_not_asked_again() -> None:
    ask, ends = asking(refusal("etcdserver: mvcc: required revision has been compacted"))
    with pytest.raises(Compacted):
        await rotating(ask, bound_s=5.0)
    assert len(ends) == 1


@asynchronous
async def test_it_ends_with_the_last_reason() -> None:
    ask, ends = asking(refusal("x"), refusal("etcdserver: no leader"))
    started = asyncio.get_running_loop().time()
    with pytest.raises(QuorumLost, match="no leader"):
        await rotating(ask, bound_s=0.15)
    assert asyncio.get_running_loop().time() - started < 1.0
    assert len(ends) >= 2
