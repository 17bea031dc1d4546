"""Who comes in while the quorum is lost: by what is in memory, else by what one member says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from bps.core.errors import QuorumLost
from bps.identity.roles import Role
from bps.identity.token_text import Token
from bps.leadership.modes import Reason
from bps.sidecar.credentials import Credentials
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous
from tests.unit.http.guarded import Guarded, guarded
from tests.unit.sidecar.test_degraded import Minority

HERE = "/v1/identity"


@asynccontextmanager
async def divided() -> AsyncIterator[tuple[Guarded, Minority]]:
    """A service whose reads go through a minority of members, which have a quorum at first."""
    async with guarded() as world:
        memory = world.store.inner
        assert isinstance(memory, MemoryStore)
        minority = Minority(memory)
        minority.inner = world.store
        world.sidecar.degraded.store = minority
        yield world, minority


@contextmanager
def quorum_lost(world: Guarded, minority: Minority) -> Iterator[None]:
    """The sidecar knows that the quorum is lost, and its watch brings nothing any more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Credentials, "warm", False)
        # Nor are they loaded anew.
        patch.setattr(world.sidecar.credentials, "_store", minority)
        # The store behind answers the probe, which would take the hold back.
        patch.setattr(world.sidecar.terms, "release", lambda _: None)
        world.sidecar.terms.hold(Reason.QUORUM_LOST, QuorumLost("etcd has no leader."))
        minority.lost = True
        world.store.reset()
        yield


def looked_up(world: Guarded) -> int:
    return len([read for reads in world.store.reads for read in reads if "tokens" in str(read)])


@asynchronous
async def test_a_token_in_memory_comes_in_and_an_unknown_one_does_not() -> None:
    async with divided() as (world, minority):
        token = await world.token(Role.AGENT, principal="agent-7")
        with quorum_lost(world, minority):
            came_in = await world.call("GET", HERE, token)
            assert (came_in.status_code, came_in.json()["principal"]) == (200, "agent-7")
            denied = await world.call("GET", "/v1/tokens", token)
            assert (denied.status_code, denied.json()["code"]) == (403, "FORBIDDEN")
            for wrong in (Token.generate(), Token(token.credential, bytes(32))):
                answer = await world.call("GET", HERE, wrong)
                assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
            assert looked_up(world) == 0


@asynchronous
async def test_a_token_that_is_not_in_memory_comes_in_by_what_one_member_says() -> None:
    async with divided() as (world, minority):
        token = await world.token(Role.AGENT, principal="agent-7")
        with quorum_lost(world, minority):
            world.sidecar.credentials._forget()
            unknown = await world.call("GET", HERE, Token.generate())
            assert (unknown.status_code, unknown.json()["code"]) == (401, "UNAUTHENTICATED")
            came_in = await world.call("GET", HERE, token)
            assert (came_in.status_code, came_in.json()["principal"]) == (200, "agent-7")
            assert looked_up(world) == 2


@asynchronous
async def test_where_no_member_answers_who_is_not_in_memory_is_told_to_come_again() -> None:
    async with divided() as (world, minority):
        token = await world.token(Role.AGENT)
        with quorum_lost(world, minority):
            minority.down = True
            assert (await world.call("GET", HERE, token)).status_code == 200
            world.sidecar.credentials._forget()
            for sent in (token, Token.generate()):
                answer = await world.call("GET", HERE, sent)
                assert (answer.status_code, answer.json()["code"]) == (503, "STORE_UNAVAILABLE")
                assert int(answer.headers["Retry-After"]) >= 1
