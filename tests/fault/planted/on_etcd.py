"""Planted bugs in real sidecars on a real cluster, under faults that have to bring them out."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cluster import EtcdCluster, start_cluster
from tests.fault.failpoints.base import Fault
from tests.fault.failpoints.lease_revoked import LeaseRevoked
from tests.fault.failpoints.reply_lost import ReplyLost
from tests.fault.failpoints.sidecar_frozen import SidecarFrozenMidway
from tests.fault.failpoints.wire import ConnectionReset
from tests.fault.scene import scene
from tests.fault.schedule import Planned, Run, Schedule
from tests.fault.sidecar_process import BUG_VARIABLE
from tests.fault.violation import Kind

ATTEMPTS: Final = 3
_SIDECARS = 2
_FIRST_S = 1.0


@dataclass(frozen=True, slots=True)
class Provoked:
    """Faults in a row, each for `lasts_s`, and the kinds of violations that they must bring."""

    faults: Sequence[type[Fault]]
    lasts_s: float
    kinds: frozenset[Kind]

    def schedule(self, seed: int) -> Schedule:
        """One fault after the other."""
        gap_s = self.lasts_s + 1.0
        planned = [
            Planned(fault, _FIRST_S + n * gap_s, self.lasts_s)
            for n, fault in enumerate(self.faults)
        ]
        return Schedule(seed, tuple(planned))


PROVOKED: Final[dict[str, Provoked]] = {
    "fence_dropped": Provoked(
        [LeaseRevoked, LeaseRevoked, LeaseRevoked, SidecarFrozenMidway],
        4.0,
        frozenset({"old-fence"}),
    ),
    "new_operation_id_after_unknown": Provoked(
        [ReplyLost, ReplyLost, ReplyLost],
        2.0,
        frozenset({"lost", "duplicated", "non-linearizable"}),
    ),
    "op_record_not_created": Provoked(
        [ConnectionReset, ConnectionReset, ReplyLost],
        2.0,
        frozenset({"lost", "duplicated", "non-linearizable"}),
    ),
}
"""By bug."""


def provoked_on_etcd(name: str) -> str | None:
    """The first violation of an expected kind, in up to three schedules; None where there was none.

    Half a minute a schedule, with a cluster and sidecars of its own.
    """
    provoked = PROVOKED[name]
    # Members that are processes die with the thread that started them: this one.
    cluster, _ = start_cluster()
    try:
        with _planted(name), tempfile.TemporaryDirectory(prefix="bps-planted-") as directory:
            return asyncio.run(_perform(provoked, cluster, Path(directory)))
    finally:
        cluster.stop()


async def _perform(provoked: Provoked, cluster: EtcdCluster, directory: Path) -> str | None:
    async with scene(cluster, directory, random.Random(1), sidecars=_SIDECARS) as on:
        for seed in range(ATTEMPTS):
            run = Run(on, provoked.schedule(seed), directory / f"history-{seed}.jsonl")
            await run.perform()
            for violation in run.violations:
                if violation.kind in provoked.kinds:
                    return str(violation)
    return None


@contextmanager
def _planted(name: str) -> Iterator[None]:
    os.environ[BUG_VARIABLE] = name
    try:
        yield
    finally:
        del os.environ[BUG_VARIABLE]
