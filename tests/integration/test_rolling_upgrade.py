"""Two sidecars of neighbouring releases take turns on one cluster and lose nothing (R15, ADR 17).

The next release is this code with the next schema number and a field more in some records, in a
directory and a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from bps.core.codec import NEXT_SCHEMA, SCHEMA, canonical_json
from bps.core.keys import PlanKeys, after_prefix
from bps.core.ports import Key
from bps.core.txn import Put, Txn
from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous, eventually
from tests.checkout import ROOT, VARIABLE, python_path
from tests.cluster import EtcdCluster

pytestmark = pytest.mark.cluster

PLAN, OTHER = "EP-1", "EP-2"
DEADLINE_S = 30.0
_LABEL = f"label: Annotated[str | None, Since({NEXT_SCHEMA})] = None"
EDITS = {
    "core/codec.py": [(f"SCHEMA = {SCHEMA}\n", f"SCHEMA = {NEXT_SCHEMA}\n")],
    "plans/model.py": [
        ("import Decimal, DecimalMap,", "import Decimal, DecimalMap, Since,"),
        ('    KIND: ClassVar[str] = "head"\n', f'    KIND: ClassVar[str] = "head"\n    {_LABEL}\n'),
        (
            '    KIND: ClassVar[str] = "version"\n',
            f'    KIND: ClassVar[str] = "version"\n    {_LABEL}\n',
        ),
        (
            '    KIND: ClassVar[str] = "rr_plan"\n',
            f'    KIND: ClassVar[str] = "rr_plan"\n    {_LABEL}\n',
        ),
    ],
    "plans/events.py": [
        ("from typing import ", "from typing import Annotated, "),
        ("import NEXT_SCHEMA, Decimal,", "import NEXT_SCHEMA, Decimal, Since,"),
        (
            '    KIND: ClassVar[str] = "branch_opened"\n',
            f'    KIND: ClassVar[str] = "branch_opened"\n    {_LABEL}\n',
        ),
        (
            '    KIND: ClassVar[str] = "blueprint_promoted"\n',
            f'    KIND: ClassVar[str] = "blueprint_promoted"\n    {_LABEL}\n',
        ),
    ],
    "plans/evolve.py": [
        ("            RRPlan(\n", "            RRPlan(\n                label=body.label,\n"),
        (
            "                version=body.version,\n",
            "                version=body.version,\n                label=body.label,\n",
        ),
    ],
    "plans/book.py": [("return Head(seq", 'return Head(label="first", seq')],
    "plans/branches/open.py": [("return BranchOpened(\n", 'return BranchOpened(label="new",\n')],
    "promotion/publish.py": [("BlueprintPromoted(\n", 'BlueprintPromoted(label="new",\n')],
    "promotion/results.py": [
        (
            '    KIND: ClassVar[str] = "promotion_result"\n',
            '    KIND: ClassVar[str] = "promotion_result"\n    label: str | None = None\n',
        )
    ],
}
"""What the next release changes: optional fields, and who fills them."""


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the package as the next release has it."""
    root = tmp_path_factory.mktemp("next-release")
    shutil.copytree(ROOT / "bps", root / "bps", ignore=shutil.ignore_patterns("__pycache__"))
    for name, edits in EDITS.items():
        path = root / "bps" / name
        text = path.read_text()
        for old, new in edits:
            assert text.count(old) == 1, f"{name}: {old!r}"
            text = text.replace(old, new)
        path.write_text(text)
    return root


class Release:
    """One sidecar process, told what to do."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, *act: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(act).encode() + b"\n")
        async with asyncio.timeout(DEADLINE_S):
            answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return answer

    async def done(self, *act: str) -> dict[str, Any]:
        """The answer to an act that must succeed."""
        answer = await self.do(*act)
        assert "error" not in answer, answer
        return answer

    async def leads(self) -> None:
        """Wait until it does."""

        async def leading() -> bool:
            return bool((await self.do("leads"))["mode"] == "READ_WRITE")

        await eventually(leading, "it leads", deadline_s=DEADLINE_S)


@asynccontextmanager
async def running(name: str, code: Path, cluster: EtcdCluster) -> AsyncIterator[Release]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.doubles.rolling_sidecar",
        name,
        ",".join(cluster.endpoints),
        cwd=code,
        env={**os.environ, VARIABLE: python_path(code)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Release(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def hand_over(old: Release, new: Release) -> None:
    """The order of docs/upgrade.md: start one, then stop the other."""
    await new.done("start")
    await old.done("stop")
    await new.leads()


async def stored(store: EtcdStore, key: bytes) -> dict[str, Any]:
    (found,) = (await store.snapshot([Key(key)])).answers[0]
    fields: dict[str, Any] = orjson.loads(found.value)
    return fields


async def proven(*releases: Release) -> list[int]:
    """Each proves both plans; how many records of the next release each compared in part."""
    in_part = []
    for release in releases:
        for plan in (PLAN, OTHER):
            await release.done("verify", plan)
        replays = [await release.done("replay", plan) for plan in (PLAN, OTHER)]
        in_part.append(sum(int(answer["next_release"]) for answer in replays))
    return in_part


async def proven_one(*releases: Release) -> list[int]:
    """As `proven`, of the first plan alone."""
    return [int((await release.done("replay", PLAN))["next_release"]) for release in releases]


@asynchronous
async def test_two_releases_take_turns_and_keep_each_others_records(
    fresh_cluster: EtcdCluster, next_release: Path
) -> None:
    async with (
        EtcdStore(fresh_cluster.endpoints) as store,
        running("this", ROOT, fresh_cluster) as this,
        running("next", next_release, fresh_cluster) as following,
    ):
        at, other = PlanKeys(PLAN), PlanKeys(OTHER)
        assert await this.done("start") == {"schema": SCHEMA}
        await this.leads()
        await this.done("register", PLAN)
        first = await this.done("open", PLAN, "T1", "F1")
        assert await proven_one(this, following) == [0, 0]

        await hand_over(this, following)
        await following.done("submit", PLAN, first["rr_plan"], "v: 2\n")
        second = await following.done("open", PLAN, "T2", "F2")
        await following.done("register", OTHER)
        promoted = await following.done("promote", PLAN, "promotion-1")
        assert (promoted["version"], promoted["outcome"]) == ("2", "committed")
        assert (await stored(store, at.canonical))["label"] == "new"

        await hand_over(following, this)
        repeated = await this.done("promote", PLAN, "promotion-1")
        assert repeated == {**promoted, "outcome": "repeated"}
        await this.done("open", OTHER, "T1", "F1")
        head = await stored(store, other.head)
        assert (head["label"], head["schema"], head["seq"]) == ("first", NEXT_SCHEMA, "2")
        third = await this.done("open", PLAN, "T3", "F3")
        rr_plan = at.rr_plan(second["branch"], 1)
        before = await stored(store, rr_plan)
        await this.done("open", PLAN, "T4", "F2")
        linked = await stored(store, rr_plan)
        assert linked["clock"] != before["clock"]
        assert (linked["label"], linked["schema"]) == ("new", NEXT_SCHEMA)
        in_part, whole = await proven(this, following)
        assert in_part > 0
        assert whole == 0

        await hand_over(this, following)
        await following.done("submit", PLAN, third["rr_plan"], "v: 2\n")
        await following.done("promote", PLAN, "promotion-2")
        for release in (this, following):
            verified = await release.done("verify", PLAN)
        assert int(verified["events"]) == 9
        assert (await proven(this, following))[1] == 0


@asynchronous
async def test_a_release_two_ahead_is_refused_by_key_and_number(
    fresh_cluster: EtcdCluster,
) -> None:
    async with (
        EtcdStore(fresh_cluster.endpoints) as store,
        running("this", ROOT, fresh_cluster) as this,
    ):
        await this.done("start")
        await this.leads()
        await this.done("register", PLAN)
        key = PlanKeys(PLAN).canonical
        newer = {**await stored(store, key), "schema": NEXT_SCHEMA + 1}
        await store.commit(Txn((), (Put(key, canonical_json(newer)),)))
        await this.done("stop")
        await this.done("start")
        await this.leads()
        refused = await this.do("open", PLAN, "T1", "F1")
        assert refused["error"] == "SCHEMA_TOO_NEW"
        assert refused["key"] == key.decode()
        assert (refused["schema"], refused["readable"]) == (NEXT_SCHEMA + 1, NEXT_SCHEMA)
        assert "ahead" in refused["message"]
        end = after_prefix(PlanKeys(PLAN).events)
        page = await store.page(PlanKeys(PLAN).events, end, limit=10)
        assert len(page.kvs) == 1
