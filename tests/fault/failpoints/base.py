"""What every fault is: injected, proved to have taken effect, healed."""

from __future__ import annotations

import random
import shutil
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import ClassVar

from tests.cluster.interface import FaultFailedError
from tests.fault.scene import Scene

__all__ = ["Fault", "FaultFailedError", "Need", "Part", "parts_of"]


class Need(StrEnum):
    """What a fault cannot be caused without."""

    CONTAINERS = "a Docker engine"
    IPTABLES = "iptables and nsenter"
    STRACE = "strace"
    OWN_CLUSTER = "a cluster of its own, with a small quota"
    MEMBER_DATA = "members' data on this host"


class Part(StrEnum):
    """What a fault breaks. Two faults overlap only if they break different parts."""

    ETCD = "etcd"
    SIDECAR = "a sidecar or its way to etcd"


def parts_of(fault: type[Fault]) -> tuple[Part, ...]:
    """What no other fault may break meanwhile."""
    return tuple(Part) if fault.alone else (fault.part,)


class Fault(ABC):
    """One fault, used once.

    `evidence` is asked while the fault lasts, before `heal`, and polls where traffic has to meet
    the fault first. `lasts_s`: bounds between which a schedule chooses how long it lasts.
    """

    name: ClassVar[str]
    part: ClassVar[Part]
    needs: ClassVar[frozenset[Need]] = frozenset()
    lasts_s: ClassVar[tuple[float, float]] = (1.0, 3.0)
    weight: ClassVar[int] = 2
    alone: ClassVar[bool] = False
    """Whether its evidence needs all else to be whole: nothing overlaps it."""
    closes: ClassVar[bool] = False
    """Whether nothing that was acknowledged can be held against the store afterwards."""

    def __init__(self, scene: Scene, source: random.Random) -> None:
        self.scene = scene
        self.etcd = scene.etcd
        self.source = source

    @abstractmethod
    async def inject(self) -> None:
        """Cause it. Raises FaultFailedError where that fails."""

    @abstractmethod
    async def evidence(self) -> str:
        """What shows that it took effect, in a few words. Raises FaultFailedError otherwise."""

    @abstractmethod
    async def heal(self) -> None:
        """Undo it, also where `inject` came only half-way."""


def lacking(needs: frozenset[Need], scene: Scene, *, own_cluster: bool) -> list[str]:
    """Which of `needs` this machine and this cluster do not meet."""
    met = {
        Need.CONTAINERS: scene.etcd.in_containers,
        Need.IPTABLES: all(shutil.which(tool) for tool in ("iptables", "nsenter")),
        Need.STRACE: shutil.which("strace") is not None,
        Need.OWN_CLUSTER: own_cluster,
        Need.MEMBER_DATA: scene.etcd.member(0).data_dir.is_dir(),
    }
    return sorted(need.value for need in needs if not met[need])
