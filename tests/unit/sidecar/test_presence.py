"""Sidecars say in etcd that they live; the leader registers their keys before they ever lead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bps.checkpoints.model import Checkpoint
from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import ConfigError, NotLeader
from bps.core.ports import Key, Store
from bps.core.txn import Delete, Put, Txn
from bps.identity.credential import CredentialRegistry
from bps.identity.token_text import Token
from bps.keyring.change import AddKey
from bps.keyring.model import Purpose
from bps.keyring.read import read_registry
from bps.sidecar.diagnosis import diagnose, diagnose_sidecar
from bps.sidecar.feed import Feed
from bps.sidecar.presence import TTL_S, WAIT_S, Presence, SidecarPresence, find_presence
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually, meanwhile
from tests.doubles import ManualClock
from tests.unit.keyring.people import key_of

ONE, TWO = SidecarSettings("one", signer=key_of(1)), SidecarSettings("two", signer=key_of(2))


@asynccontextmanager
async def running(store: Store, settings: SidecarSettings) -> AsyncIterator[Sidecar]:
    async with Sidecar(store, SystemClock(), replace(settings, campaign_s=0.2)) as sidecar:
        await sidecar.ready()
        yield sidecar


async def covered_keys(store: MemoryStore) -> set[str]:
    page = await store.page(keys.CHECKPOINTS, keys.after_prefix(keys.CHECKPOINTS), limit=100)
    return {key for kv in page.kvs for key in Checkpoint.decode(kv.value).keys}


@dataclass(slots=True)
class World:
    """A presence on virtual time."""

    clock: ManualClock
    store: MemoryStore

    @asynccontextmanager
    async def present(self, name: str = "one") -> AsyncIterator[Presence]:
        feed = Feed(self.store, self.clock)
        presence = Presence(self.store, feed, self.clock, name, key_of(1).public)
        async with meanwhile(feed.run(), presence.run()):
            await presence.tried()
            yield presence

    async def url(self, name: str = "one") -> str | None:
        found = await find_presence(self.store, name)
        return found.url if found else "none is there"


def world() -> World:
    clock = ManualClock()
    return World(clock, MemoryStore(clock))


@asynchronous
async def test_a_presence_says_who_where_and_with_which_key_and_goes_with_its_sidecar() -> None:
    here = world()
    async with here.present() as presence:
        presence.advertise("http://127.0.0.1:1")
        await eventually(lambda: _is(here, "http://127.0.0.1:1"), "the address is told")
        found = await find_presence(here.store, "one")
        assert found is not None
        assert (found.name, found.public_key) == ("one", key_of(1).public.text)
        await here.clock.advance(10 * TTL_S)
        assert await here.url() == "http://127.0.0.1:1"
    assert await find_presence(here.store, "one") is None


async def _is(here: World, url: str) -> bool:
    return await here.url() == url


async def _is_there(store: Store, name: str) -> bool:
    return await find_presence(store, name) is not None


@asynchronous
async def test_a_lost_presence_is_put_again_and_a_draining_sidecar_takes_it_away() -> None:
    here = world()
    async with here.present() as presence:
        await here.store.commit(Txn((), (Delete(keys.sidecar("one")),)))
        await eventually(lambda: _is_there(here.store, "one"), "it is put again")
        kv = (await here.store.snapshot([Key(keys.sidecar("one"))])).answers[0][0]
        await here.store.lease_revoke(kv.lease_id)
        await eventually(lambda: _is_there(here.store, "one"), "it has a new lease")
        presence.leave()

        async def gone() -> bool:
            return not await _is_there(here.store, "one")

        await eventually(gone, "it is taken away")


@asynchronous
async def test_the_second_of_one_name_and_another_key_ends_at_once_and_overwrites_nothing() -> None:
    here = world()
    async with here.present() as first:
        first.advertise("http://127.0.0.1:1")
        await eventually(lambda: _is(here, "http://127.0.0.1:1"), "the first is there")
        second = Presence(
            here.store, Feed(here.store, here.clock), here.clock, "one", key_of(2).public
        )
        with pytest.raises(ConfigError, match="Another sidecar called one lives at http") as end:
            await second.run()
        assert key_of(1).public.text in end.value.message
        assert key_of(2).public.text in end.value.message
        assert await here.url() == "http://127.0.0.1:1"


@asynchronous
async def test_the_second_of_one_name_and_key_waits_visibly_and_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world()
    async with here.present() as first:
        first.advertise("http://127.0.0.1:1")
        await eventually(lambda: _is(here, "http://127.0.0.1:1"), "the first is there")
        second = Presence(
            here.store, Feed(here.store, here.clock), here.clock, "one", key_of(1).public
        )
        waiting = asyncio.create_task(second.run())
        await here.clock.advance(WAIT_S - 1)
        assert second.waits
        assert not waiting.done()
        assert caplog.text.count("waiting until it is gone") == 1
        await here.clock.advance(2 * TTL_S)
        with pytest.raises(ConfigError, match="uses the same signing key"):
            await waiting
        assert await here.url() == "http://127.0.0.1:1"


@asynchronous
async def test_a_restart_takes_its_name_up_as_soon_as_the_killed_one_is_forgotten() -> None:
    here = world()
    lease = await here.store.lease_grant(TTL_S)
    killed = SidecarPresence(
        name="one", url=None, public_key=key_of(1).public.text, release="1", started_ms=1
    )
    put = Put(keys.sidecar("one"), killed.encode(), lease.lease_id)
    await here.store.commit(Txn((), (put,)))
    async with here.present() as restarted:
        assert restarted.waits
        restarted.advertise("http://127.0.0.1:2")
        await here.clock.advance(TTL_S + 5)
        await eventually(lambda: _is(here, "http://127.0.0.1:2"), "it has its name")
        assert not restarted.waits


@asynchronous
async def test_a_restart_at_the_same_address_takes_its_name_over_at_once() -> None:
    here = world()
    lease = await here.store.lease_grant(3_600)
    killed = SidecarPresence(
        name="one",
        url="http://127.0.0.1:1",
        public_key=key_of(1).public.text,
        release="1",
        started_ms=1,
    )
    put = Put(keys.sidecar("one"), killed.encode(), lease.lease_id)
    await here.store.commit(Txn((), (put,)))
    async with here.present() as restarted:
        restarted.advertise("http://127.0.0.1:1")

        async def is_ours() -> bool:
            found = (await here.store.snapshot([Key(keys.sidecar("one"))])).answers[0]
            return bool(found) and found[0].lease_id == restarted.lease_id != lease.lease_id

        await eventually(is_ours, "it has its name")
        assert not restarted.waits
        # Another process that takes it back in turn is no predecessor: it is not taken over again.
        taken = (await here.store.snapshot([Key(keys.sidecar("one"))])).answers[0][0]
        await here.store.commit(Txn((), (Put(taken.key, killed.encode(), lease.lease_id),)))
        restarted._doubt()

        async def waits() -> bool:
            return restarted.waits

        await eventually(waits, "it waits")


@asynchronous
async def test_who_lost_the_name_while_cut_off_ends_and_not_who_has_it() -> None:
    here = world()
    first = Presence(here.store, Feed(here.store, here.clock), here.clock, "one", key_of(1).public)
    running = asyncio.create_task(first.run())
    await first.tried()
    lease_id = first.lease_id
    assert lease_id is not None
    await here.store.lease_revoke(lease_id)
    other = SidecarPresence(
        name="one", url="http://127.0.0.1:2", public_key=None, release="1", started_ms=1
    )
    await here.store.commit(Txn((), (Put(keys.sidecar("one"), other.encode()),)))
    await here.clock.advance(TTL_S)
    with pytest.raises(ConfigError, match=r"lives at http://127\.0\.0\.1:2 and signs with no key"):
        await running
    assert await here.url() == "http://127.0.0.1:2"


@asynchronous
async def test_a_sidecar_that_waits_for_its_name_is_not_ready_and_says_why() -> None:
    store = MemoryStore(SystemClock())
    lease = await store.lease_grant(TTL_S)
    killed = SidecarPresence(
        name="one", url=None, public_key=key_of(1).public.text, release="1", started_ms=1
    )
    put = Put(keys.sidecar("one"), killed.encode(), lease.lease_id)
    await store.commit(Txn((), (put,)))
    async with Sidecar(store, SystemClock(), ONE) as sidecar:
        await sidecar.presence.tried()
        state = sidecar.readiness()
        assert (state.ready, state.reason) == (False, "name_held")
        await store.lease_revoke(lease.lease_id)
        await sidecar.ready()


@asynchronous
async def test_the_part_that_ends_a_sidecar_says_whose_name_it_is() -> None:
    store = MemoryStore(SystemClock())
    async with running(store, ONE):
        async with Sidecar(store, SystemClock(), replace(ONE, signer=key_of(2))) as second:
            part, error = await second.failure()
        assert part == "presence"
        assert isinstance(error, ConfigError)


def test_a_name_makes_no_other_key_whatever_is_in_it() -> None:
    names = ["a", "a/b", "../leader/holder", "a\x00", "\ud800", "x" * 10_000]
    made = {keys.sidecar(name) for name in names}
    assert len(made) == len(names)
    assert {key.removeprefix(keys.SIDECARS).count(b"/") for key in made} == {0}
    assert {len(key) for key in made} == {len(keys.SIDECARS) + 32}


@asynchronous
async def test_a_checkpoint_covers_the_key_of_a_standby_before_it_leads() -> None:
    store = MemoryStore(SystemClock())
    async with running(store, ONE), running(store, TWO) as standby:

        async def covered() -> bool:
            return await covered_keys(store) >= {key_of(n).public.key_id for n in (1, 2)}

        await eventually(covered, "both keys are covered")
        record = (await read_registry(store)).keys[key_of(2).public.key_id]
        assert (record.holder, record.purposes) == ("bps", [Purpose.CHECKPOINT])
        assert record.comment == "signing key of sidecar two"
        rows = {row.check: row for row in await diagnose_sidecar(standby)}
        assert rows["signing key"].status == "ok"


@asynchronous
async def test_with_a_held_registry_doctor_warns_and_says_the_command() -> None:
    store = MemoryStore(SystemClock())
    async with running(store, ONE) as leader:

        async def covered() -> bool:
            return key_of(1).public.key_id in await covered_keys(store)

        await eventually(covered, "the leader's own key is covered")
        for n in (4, 5, 6):
            key, purposes = key_of(n).public, (Purpose.HOLDER,)
            await leader.execute(AddKey("tester", f"add-{n}", key, f"holder-{n}", purposes))
        async with running(store, TWO) as standby:

            async def looked_at() -> bool:
                return len(leader.peers.sidecars) == 2

            await eventually(looked_at, "the leader knows the standby")
            rows = {row.check: row for row in await diagnose_sidecar(standby)}
            assert key_of(2).public.key_id not in (await read_registry(store)).keys
            assert rows["signing key"].status == "warning"
            assert "this sidecar's signing key is not registered" in rows["signing key"].detail
            assert (
                f"`echo {key_of(2).public.text} | bps keys add - --purpose checkpoint "
                "--holder bps` with an `--approval` of each of 2 holders"
            ) in rows["signing key"].next_action
            assert leader.checkpoints.problem is None


@asynchronous
async def test_a_presence_that_lies_stops_no_checkpoints() -> None:
    store = MemoryStore(SystemClock())
    lie = SidecarPresence(name="liar", url=None, public_key="AA==", release="1", started_ms=1)
    await store.commit(Txn((), (Put(keys.sidecar("liar"), lie.encode()),)))
    await store.commit(Txn((), (Put(keys.sidecar("noise"), b"{}"),)))
    async with running(store, ONE) as leader:

        async def covered() -> bool:
            return key_of(1).public.key_id in await covered_keys(store)

        await eventually(covered, "the leader's own key is covered")
        assert leader.checkpoints.problem is None


@asynchronous
async def test_a_standby_says_where_the_leader_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    store = MemoryStore(SystemClock())
    async with running(store, ONE) as leader:
        leader.presence.advertise("http://127.0.0.1:8780")
        async with running(store, TWO) as standby:

            async def known() -> bool:
                return standby.readiness().leader_url == "http://127.0.0.1:8780"

            await eventually(known, "the address is known")
            with pytest.raises(NotLeader, match=r"one leads at http://.*:8780; write there"):
                standby.terms.write_path()
            with pytest.raises(NotLeader) as refusal:
                standby.terms.write_path()
            assert refusal.value.facts["url"] == "http://127.0.0.1:8780"
            assert refusal.value.facts["leader"] == "one"

            async def check() -> None:
                return None

            checks = await diagnose(store, endpoints=(), check_versions=check)
            row = next(row for row in checks if row.check == "leader")
            assert row.detail == "one at http://127.0.0.1:8780; standing by: two"
    told = [each for each in caplog.records if each.message.startswith("READ_ONLY: one leads")]
    assert [each.levelname for each in told] == ["INFO"]


@asynchronous
async def test_without_an_operator_the_leader_says_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore(SystemClock())
    async with running(store, ONE):
        assert "no valid operator credential exists" in caplog.text
        assert "bps init --standalone" in caplog.text


async def operators(store: Store) -> set[str]:
    stored = (await store.snapshot([Key(keys.TOKEN_REGISTRY)])).answers[0]
    return {*CredentialRegistry.decode(stored[0].value).operators} if stored else set()


@asynchronous
async def test_the_leader_makes_the_first_token_once_and_shows_it_to_its_file_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "made" / "operator-token"
    file.parent.mkdir()
    file.write_text("from a failed attempt\n")
    file.chmod(0o644)
    store = MemoryStore(SystemClock())
    settings = replace(ONE, first_token_file=file)
    async with running(store, settings) as leader:
        text = file.read_text().strip()
        token = Token.parse(text)
        assert token is not None
        assert (file.stat().st_mode & 0o777, file.read_text()) == (0o600, f"{text}\n")
        assert await operators(store) == {token.credential}
        found = (await leader.credentials.find([token.credential]))[0]
        assert token.matches(found.digest)
        assert (found.principal, found.roles) == ("operator", ["operator"])
    async with running(store, settings):
        assert file.read_text() == f"{text}\n"
    assert await operators(store) == {token.credential}
    assert "operator-token" in caplog.text
    assert token.secret.hex() not in caplog.text


@asynchronous
async def test_a_token_file_that_cannot_be_written_stops_no_term(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore(SystemClock())
    settings = replace(ONE, first_token_file=tmp_path)
    async with running(store, settings) as leader:
        leader.terms.write_path()
    assert await operators(store) == set()
    assert "cannot be written" in caplog.text
    assert str(tmp_path) not in caplog.text
