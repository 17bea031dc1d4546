"""etcd as the faults see it: members to break, and its HTTP gateway to look at what they did."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from bps.core import keys
from tests.cluster import CLUSTER_SIZE, EtcdCluster, Member, gateway
from tests.cluster.interface import FaultFailedError

QUOTA_BYTES = 96 * 1024**2
SMALL_QUOTA = (f"--quota-backend-bytes={QUOTA_BYTES}",)
_POLL_S = 0.05
_COMMAND_S = 10.0
_ANSWER_S = 6.0
T = TypeVar("T")


class ToolMissingError(FaultFailedError):
    """FAULT_TOOL_MISSING: a fault cannot be caused on this machine."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Who leads the sidecars, as etcd has it."""

    create_revision: int
    lease_id: int


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, *, deadline_s: float = 10.0
) -> None:
    """Poll until `condition` holds; raises FaultFailedError naming `what` after `deadline_s`."""
    end_s = time.monotonic() + deadline_s
    while not await condition():
        if time.monotonic() > end_s:
            raise FaultFailedError(f"after {deadline_s:g} s still not: {what}")
        await asyncio.sleep(_POLL_S)


async def command(*words: str) -> str:
    """Run a program as root to its end; its output.

    Raises:
        ToolMissingError: it is not installed.
        FaultFailedError: it failed.
    """
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which(words[0]) is None:
        raise ToolMissingError(f"FAULT_TOOL_MISSING: {words[0]} is not installed")

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*as_root, *words], capture_output=True, text=True, timeout=_COMMAND_S, check=False
        )

    done = await asyncio.to_thread(run)
    if done.returncode != 0:
        raise FaultFailedError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Etcd:
    """The cluster; what blocks runs in threads, so that proxies and clients go on."""

    def __init__(self, cluster: EtcdCluster, source: random.Random) -> None:
        self.cluster = cluster
        self._source = source

    @property
    def endpoints(self) -> list[str]:
        """Where clients reach the members, when no proxy stands between."""
        return self.cluster.endpoints

    @property
    def in_containers(self) -> bool:
        """Whether each member has a network namespace of its own."""
        return self.cluster.mode == "containers"

    async def does(self, act: Callable[[], T]) -> T:
        """Call a blocking fault of a member."""
        if self.in_containers:
            return await asyncio.to_thread(act)
        # A member process dies with the thread that started it.
        return act()

    async def leader(self, *, other_than: int | None = None) -> int:
        """Index of etcd's leader."""
        return await asyncio.to_thread(self.cluster.leader_index, other_than=other_than)

    async def followers(self) -> list[int]:
        """The others, in an order of chance."""
        leader = await self.leader()
        others = [index for index in range(CLUSTER_SIZE) if index != leader]
        self._source.shuffle(others)
        return others

    def member(self, index: int) -> Member:
        """A member by its index."""
        return self.cluster.member(index)

    async def is_healthy(self, index: int) -> bool:
        """Whether the member answers a linearizable read within a second."""
        return await asyncio.to_thread(self.member(index).is_healthy)

    async def is_faulty(self, index: int) -> bool:
        """Whether the member is killed, frozen or isolated now."""
        return await self.does(lambda: self.member(index).is_faulty)

    async def cut_off(self, *indexes: int) -> None:
        """Wait until none of these members answers; raises FaultFailedError after 5 s."""
        for index in indexes:

            async def silent(index: int = index) -> bool:
                return not await self.is_healthy(index)

            await until(silent, f"{self.member(index).name} is cut off", deadline_s=5.0)

    async def heal(self, *indexes: int) -> None:
        """Undo what was done to members; their health is awaited later, by `healthy`."""
        for index in indexes:
            await self.does(self.member(index).heal)

    async def healthy(self) -> None:
        """Wait until every member answers. Raises TimeoutError after 30 s."""
        await asyncio.to_thread(self.cluster.wait_healthy)

    async def call(self, path: str, body: dict[str, Any], *, member: int | None = None) -> Any:
        """POST to the gateway of one member, else of the first one that answers, within 6 s.

        Raises:
            ConnectionError: nobody answers with status 200.
        """
        if member is not None:
            return await asyncio.to_thread(gateway.call, self.endpoints[member], path, body)
        end_s = time.monotonic() + _ANSWER_S
        while time.monotonic() < end_s:
            for index in range(CLUSTER_SIZE):
                with suppress(ConnectionError):
                    if await self._reaches_quorum(index):
                        return await self.call(path, body, member=index)
            await asyncio.sleep(_POLL_S)
        raise ConnectionError(f"no member answers {path}")

    async def _reaches_quorum(self, index: int) -> bool:
        """Like `is_healthy`, also of a store that is full."""
        answer = await asyncio.to_thread(
            gateway.get, self.endpoints[index], "/health?exclude=NOSPACE", 1.0
        )
        return answer is not None and answer.get("health") == "true"

    async def revision(self) -> int:
        """The store's revision now."""
        answer = await self.call("/v3/kv/range", {"key": encoded(keys.SCHEMA)})
        return int(answer["header"]["revision"])

    async def holding(self) -> Holding | None:
        """The record of the leading sidecar; None while nobody leads."""
        answer = await self.call("/v3/kv/range", {"key": encoded(keys.LEADER_HOLDER)})
        for kv in answer.get("kvs", []):
            return Holding(int(kv["create_revision"]), int(kv["lease"]))
        return None

    async def last_write(self) -> int:
        """The revision of the last write inside any plan."""
        end = encoded(keys.after_prefix(keys.PLAN_DATA))
        newest = {"sort_order": "DESCEND", "sort_target": "MOD", "limit": "1", "keys_only": True}
        wanted = {"key": encoded(keys.PLAN_DATA), "range_end": end, **newest}
        found = (await self.call("/v3/kv/range", wanted)).get("kvs", [])
        return int(found[0]["mod_revision"]) if found else 0

    async def alarms(self) -> list[dict[str, Any]]:
        """All alarms that are raised."""
        found: list[dict[str, Any]] = (
            await self.call("/v3/maintenance/alarm", {"action": "GET"})
        ).get("alarms", [])
        return found

    async def size_bytes(self, index: int) -> int:
        """The size of a member's database file."""
        status = await self.call("/v3/maintenance/status", {}, member=index)
        return int(status["dbSize"])

    async def iptables(self, index: int, *words: str) -> str:
        """Run iptables in the network namespace of a member, from outside."""
        pid = str(await self.does(lambda: self.member(index).pid))
        return await command("nsenter", "-t", pid, "-n", "iptables", *words)


def encoded(data: bytes) -> str:
    """Bytes as the gateway wants them."""
    return base64.b64encode(data).decode()
