"""Is there room to write? A pure verdict over what etcd's members say of their files (R13).

etcd judges the file, free pages included; a file grows only once its free pages are used up. So a
long file that is mostly free does not hinder, and one that is full does before etcd's alarm rises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bps.core.errors import NoSpace
from bps.core.ports import MemberStatus

DEFAULT_QUOTA_BYTES: Final = 8 * 2**30
"""The quota of our compose file and of the embedded etcd (design, "etcd")."""
FULL: Final = 0.8
"""The part of the quota at which promotions stop."""
ROOM: Final = 0.75
"""They go on when less than this part is in use."""
NO_SPACE_ALARM: Final = "NOSPACE"
RECLAIM: Final = "Run `bps doctor --reclaim-space`, which shows a plan; docs/playbooks has more."


@dataclass(frozen=True, slots=True)
class Space:
    """The fullest member's figures, in bytes; `alarm`: etcd refuses writes."""

    size_bytes: int
    in_use_bytes: int
    quota_bytes: int
    alarm: bool


def space_of(members: Sequence[MemberStatus], quota_bytes: int) -> Space | None:
    """The most that any member has; None where none told. `quota_bytes`: of those that tell none.

    Where members have different quotas the smallest counts.
    """
    if not members:
        return None
    return Space(
        max(member.db_size_bytes for member in members),
        max(in_use_of(member) for member in members),
        min(member.quota_bytes or quota_bytes for member in members),
        any(NO_SPACE_ALARM in member.alarms for member in members),
    )


def in_use_of(member: MemberStatus) -> int:
    """What a defragmentation would leave; the whole file where the member does not tell."""
    return member.in_use_bytes or member.db_size_bytes


def no_room(space: Space, *, held: bool) -> NoSpace | None:
    """Why promotions and other growing writes stop; None where they may go on.

    `held` says that they are stopped now: they go on only below `ROOM`.
    """
    size, in_use, quota = space.size_bytes, space.in_use_bytes, space.quota_bytes
    roomy = in_use < ROOM * quota and size < quota
    if space.alarm:
        why = "etcd has raised its alarm NOSPACE"
    elif not roomy and (held or size > FULL * quota):
        why = "etcd's file is nearly as long as its quota allows"
    else:
        return None
    msg = (
        f"{why}: {size} bytes of {quota}, {in_use} in use. Promotions stop; reads, leases and "
        "deletions go on."
    )
    return NoSpace(
        msg,
        size_bytes=str(size),
        in_use_bytes=str(in_use),
        quota_bytes=str(quota),
    ).advising(RECLAIM)
