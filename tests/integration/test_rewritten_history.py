"""Histories forged in a real etcd below a service: legal in themselves, and still named (R10).

Whoever can write to etcd can make any log that verifies and replays. What such a log contradicts is
a signed checkpoint, in etcd and in the mirror of a `bps serve` that saw the log before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bps.checkpoints.model import Checkpoint, CheckpointTip
from bps.client import BpsClient
from bps.core import keys
from bps.core.keys import PlanKeys, after_prefix
from bps.core.ports import Key, Prefix
from bps.core.txn import KV, Delete, Put, Txn
from bps.identity.roles import Role
from bps.replay.replay import replay
from bps.replay.verify import verify
from bps.store.embedded_etcd import EmbeddedEtcd
from bps.store.etcd.store import EtcdStore
from tests.asynchronous import eventually, run
from tests.doubles.scene import Scene
from tests.integration.http.serving import environment, serving
from tests.unit.cli.invoke import Ran, invoke

TRUNCATED, REWRITTEN, SOUND = "EP-1", "EP-2", "EP-3"
BLUEPRINT = b"title: v1\n"


@dataclass(frozen=True, slots=True)
class Forged:
    """A store with two forged plans below a running service."""

    endpoint: str
    url: str
    token: str
    mirror: Path

    def directly(self, *arguments: str) -> Ran:
        """A command that reads etcd."""
        etcd = {"BPS_ETCD_ENDPOINTS": self.endpoint}
        return invoke(*arguments, "-o", "json", env=etcd)

    def served(self, *arguments: str) -> Ran:
        """The same command through the service."""
        user = {"BPS_URL": self.url, "BPS_TOKEN": self.token, "BPS_STANDALONE": None}
        return invoke(*arguments, "-o", "json", env={**user, "BPS_ETCD_ENDPOINTS": None})


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forged]:
    directory = tmp_path_factory.mktemp("forged")
    mirror = directory / "mirror"
    config = directory / "service.toml"
    config.write_text(f'[sidecar]\nmirror_dir = "{mirror}"\n')
    with ExitStack() as stack:
        etcd = EmbeddedEtcd(temporary=True)
        run(etcd.__aenter__())
        stack.callback(lambda: run(etcd.__aexit__(None, None, None)))
        roles = [word for role in Role for word in ("--role", role)]
        created = ("token", "create", "everyone", *roles, "-o", "json")
        made = invoke(*created, env={"BPS_ETCD_ENDPOINTS": etcd.endpoint})
        token = json.loads(made.out)["secret"]
        env = environment(directory, etcd.endpoint)
        service = stack.enter_context(serving("--config", str(config), env=env))
        found = Forged(etcd.endpoint, service.url, token, mirror)
        run(forge(found))
        yield found


async def forge(forged: Forged) -> None:
    """Three plans at work, checkpointed and mirrored; then two of them get another past."""
    other = await Scene.make(REWRITTEN, content=b"title: another\n")
    for number in range(3):
        await other.open(f"other-{number}", plan=REWRITTEN)
    async with (
        EtcdStore((forged.endpoint,)) as store,
        BpsClient.connect(forged.url, token=forged.token) as client,
    ):
        for plan in (TRUNCATED, REWRITTEN, SOUND):
            await client.register_plan(plan, BLUEPRINT)
        younger = await _stored(store, TRUNCATED)
        for plan in (TRUNCATED, REWRITTEN):
            await client.open_branch(plan, trace_id="trace-1", fingerprint="cause-1")
        await eventually(lambda: _mirrored_up_to(store, forged, 2), "both heads are mirrored")

        await _replace(store, TRUNCATED, younger)
        await _replace(store, REWRITTEN, await _of_scene(other))
        for plan, events in ((TRUNCATED, 1), (REWRITTEN, 4)):
            # Without a checkpoint nothing is wrong with them.
            assert (await verify(store, plan)).events == events
            assert (await replay(store, plan)).events == events

        await eventually(lambda: _named(client), "the service names both")
        await client.open_branch(SOUND, trace_id="trace-2", fingerprint="cause-2")
        await eventually(lambda: _checkpointed(store, SOUND, 2), "work on the sound plan is signed")


async def _stored(store: EtcdStore, plan: str) -> list[KV]:
    """All of a plan: its record and what is inside of it."""
    reads = (Key(PlanKeys(plan).record), Prefix(PlanKeys(plan).root))
    return [kv for answer in (await store.snapshot(reads)).answers for kv in answer]


async def _of_scene(other: Scene) -> list[KV]:
    record = await other.below(PlanKeys(REWRITTEN).record)
    return [*record, *await other.below(PlanKeys(REWRITTEN).root)]


async def _replace(store: EtcdStore, plan: str, wanted: list[KV]) -> None:
    """Past the write path, as whoever can reach etcd."""
    gone = {kv.key for kv in await _stored(store, plan)} - {kv.key for kv in wanted}
    puts = [Put(kv.key, kv.value) for kv in wanted]
    await store.commit(Txn((), (*puts, *map(Delete, gone))))


async def _checkpoints(store: EtcdStore) -> list[Checkpoint]:
    page = await store.page(keys.CHECKPOINTS, after_prefix(keys.CHECKPOINTS), limit=1_000)
    return [Checkpoint.decode(kv.value) for kv in page.kvs]


async def _checkpointed(store: EtcdStore, plan: str, seq: int) -> bool:
    named = [each.heads[plan].seq for each in await _checkpoints(store) if plan in each.heads]
    return bool(named) and named[-1] == seq


async def _mirrored_up_to(store: EtcdStore, forged: Forged, seq: int) -> bool:
    if not all([await _checkpointed(store, plan, seq) for plan in (TRUNCATED, REWRITTEN)]):
        return False
    stored = (await store.snapshot([Key(keys.CHECKPOINT_TIP)])).answers[0][0]
    last = f'"seq":"{CheckpointTip.decode(stored.value).seq}"'.encode()
    return any(last in file.read_bytes() for file in forged.mirror.iterdir())


async def _named(client: BpsClient) -> bool:
    rows = {row.check: row.detail for row in await client.doctor()}
    return f"{TRUNCATED}, {REWRITTEN}" in rows.get("plan logs", "")


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (TRUNCATED, "but the log ends at 1"),
        (REWRITTEN, "history was rewritten"),
    ],
)
@pytest.mark.parametrize("way", ["directly", "served", "mirror"])
def test_verify_names_what_was_done_to_the_log(
    forged: Forged, plan: str, says: str, way: str
) -> None:
    if way == "mirror":
        ran = forged.directly("verify", plan, "--mirror", str(forged.mirror))
    else:
        ran = getattr(forged, way)("verify", plan)
    assert (ran.code, ran.problem["code"]) == (3, "CHAIN_BROKEN"), ran
    assert says in ran.problem["detail"]
    assert plan in json.dumps(ran.problem)


@pytest.mark.parametrize("way", ["directly", "served"])
def test_a_plan_beside_them_still_verifies(forged: Forged, way: str) -> None:
    ran: Ran = getattr(forged, way)("verify", SOUND)
    assert ran.code == 0, ran


def test_doctor_of_the_service_names_both_plans(forged: Forged) -> None:
    ran = forged.served("doctor")
    rows: dict[str, Any] = {row["check"]: row for row in json.loads(ran.out)}
    assert ran.code == 3, ran
    assert rows["plan logs"]["status"] == "failed"
    for plan in (TRUNCATED, REWRITTEN):
        assert plan in rows["plan logs"]["detail"]


def test_no_checkpoint_is_signed_over_them(forged: Forged) -> None:
    async def chain() -> list[Checkpoint]:
        async with EtcdStore((forged.endpoint,)) as store:
            return await _checkpoints(store)

    found = run(chain())
    for plan in (TRUNCATED, REWRITTEN):
        assert max(n for n, each in enumerate(found, 1) if plan in each.heads) < len(found)
        assert [each.heads[plan].seq for each in found if plan in each.heads][-1] == 2
    assert SOUND in found[-1].heads
