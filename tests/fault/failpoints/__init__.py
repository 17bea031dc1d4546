"""Every fault that a schedule can draw."""

from __future__ import annotations

from tests.fault.failpoints.base import Fault
from tests.fault.failpoints.compaction import CompactedUnderWatch
from tests.fault.failpoints.defragmentation import Defragmented
from tests.fault.failpoints.disk import BrokenDisk, SlowDisk
from tests.fault.failpoints.lease_revoked import LeaseRevoked
from tests.fault.failpoints.member_isolated import FollowerIsolated, LeaderIsolated, MemberOneWay
from tests.fault.failpoints.member_replaced import MemberReplaced
from tests.fault.failpoints.members_frozen import FollowerFrozen, LeaderFrozen, QuorumFrozen
from tests.fault.failpoints.members_killed import (
    AllRestarted,
    FollowerKilled,
    LeaderKilled,
    QuorumKilled,
)
from tests.fault.failpoints.no_space import NoSpace
from tests.fault.failpoints.packet_loss import LossyWire, PacketLoss
from tests.fault.failpoints.reply_lost import ReplyLost
from tests.fault.failpoints.sidecar_frozen import SidecarFrozen, SidecarFrozenMidway
from tests.fault.failpoints.sidecar_killed import (
    SidecarKilled,
    SidecarKilledAfter,
    SidecarKilledBefore,
)
from tests.fault.failpoints.snapshot_restored import SnapshotRestored
from tests.fault.failpoints.wire import ConnectionReset, SidecarCutOff, SlowWire

FAULTS: tuple[type[Fault], ...] = (
    LeaderKilled,
    LeaderFrozen,
    LeaderIsolated,
    FollowerKilled,
    FollowerFrozen,
    FollowerIsolated,
    QuorumKilled,
    QuorumFrozen,
    AllRestarted,
    MemberOneWay,
    MemberReplaced,
    PacketLoss,
    SlowDisk,
    BrokenDisk,
    NoSpace,
    Defragmented,
    LeaseRevoked,
    SnapshotRestored,
    SidecarFrozen,
    SidecarFrozenMidway,
    SidecarKilled,
    SidecarKilledBefore,
    SidecarKilledAfter,
    SidecarCutOff,
    SlowWire,
    LossyWire,
    ConnectionReset,
    ReplyLost,
    CompactedUnderWatch,
)
ANYWHERE: tuple[type[Fault], ...] = tuple(fault for fault in FAULTS if not fault.needs)
"""Those that need nothing beside a cluster, containers or processes."""
