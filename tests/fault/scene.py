"""What a schedule runs on: a cluster, sidecars that each have a proxy, and a token to come in."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bps.clock import SystemClock
from bps.identity.create import CreateToken, NewSecret
from bps.identity.roles import Role
from bps.identity.token_text import Token
from bps.leadership.election import Leadership
from bps.setup.initialise import Initialise
from bps.store.etcd import EtcdStore
from bps.writepath.transact import WritePath
from tests.cluster import EtcdCluster
from tests.cluster.interface import FaultFailedError
from tests.fault.cluster import QUOTA_BYTES, Etcd, until
from tests.fault.proxy import FaultyProxy
from tests.fault.sidecar_process import SidecarProcess

_PRINCIPAL = "fault-tests"
_LEADING_S = 8.0
_FULL_SHARE = 0.4


class Scene:
    """Living parts; faults and traffic share them."""

    def __init__(
        self, etcd: Etcd, sidecars: list[SidecarProcess], token: str, directory: Path
    ) -> None:
        self.etcd = etcd
        self.sidecars = sidecars
        self.token = token
        self.directory = directory
        self.is_broken = False
        """Whether another scene has to take its place, as what it stores is not to be trusted."""

    @property
    def urls(self) -> list[str]:
        """Where each sidecar is asked."""
        return [each.url for each in self.sidecars]

    async def leading(self) -> SidecarProcess:
        """The sidecar that leads. Raises FaultFailedError where none does within 8 s."""
        found: list[SidecarProcess] = []

        async def one() -> bool:
            found[:] = [each for each in self.sidecars if each.lives and await each.leads()]
            return bool(found)

        await until(one, "a sidecar leads", deadline_s=_LEADING_S)
        return found[0]

    async def other_than(self, sidecar: SidecarProcess) -> SidecarProcess:
        """A living sidecar beside this one."""
        for each in self.sidecars:
            if each is not sidecar and each.lives:
                return each
        raise FaultFailedError("no other sidecar lives")

    async def restore(self) -> None:
        """Undo what a fault that failed may have left; not all of it, so the scene is broken."""
        self.is_broken = True
        await self.etcd.heal(*range(len(self.etcd.endpoints)))
        for each in self.sidecars:
            each.proxy.calm()
            if each.state == "T":
                each.thaw()
            elif not each.lives:
                each.start()

    async def is_filling_up(self) -> bool:
        """Whether the store has so much that the faults' small quota comes near."""
        return await self.etcd.size_bytes(await self.etcd.leader()) > _FULL_SHARE * QUOTA_BYTES


@asynccontextmanager
async def scene(
    cluster: EtcdCluster, directory: Path, source: random.Random, *, sidecars: int
) -> AsyncIterator[Scene]:
    """Sidecars on an empty cluster, ready; ended in the end. The cluster stays."""
    token = await _set_up(cluster)
    async with AsyncExitStack() as stack:
        processes: list[SidecarProcess] = []
        for number in range(1, sidecars + 1):
            proxy = FaultyProxy(cluster.endpoints, source)
            await proxy.open()
            stack.push_async_callback(proxy.close)
            name = f"sidecar-{number}"
            process = SidecarProcess(name, directory / name, proxy)
            stack.push_async_callback(process.stop)
            process.start()
            processes.append(process)
        for process in processes:
            await process.ready()
        found = Scene(Etcd(cluster, source), processes, token, directory)
        await found.leading()
        yield found


async def _set_up(cluster: EtcdCluster) -> str:
    """Initialise the store; the token of a principal that may do all that the traffic does."""
    token, clock = Token.generate(), SystemClock()
    async with (
        EtcdStore(cluster.endpoints) as store,
        Leadership(store, clock, _PRINCIPAL) as leadership,
    ):
        await leadership.campaign(10)
        path = WritePath(store, leadership, clock)
        await path.execute(Initialise(_PRINCIPAL, "init"))
        secret = NewSecret(token.credential, token.digest)
        roles = frozenset({Role.SUPERVISOR})
        await path.execute(CreateToken(_PRINCIPAL, "token", _PRINCIPAL, roles, secret))
    return token.text()
