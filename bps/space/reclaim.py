"""Making room in a full etcd: a plan to look at, then its steps, one member at a time (R13).

Every step may be repeated, so that whoever runs it again after a failure goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final

from bps.core.errors import BpsError, Compacted, ConfigError, NoSpace, QuorumLost, Unavailable
from bps.core.maintenance import Maintenance
from bps.core.ports import MemberStatus
from bps.space.verdict import NO_SPACE_ALARM, in_use_of

KEPT_REVISIONS: Final = 100
"""History that compaction leaves, so that sidecars that were cut off for a moment go on by it."""
AGAIN: Final = "Correct that, then run `bps doctor --reclaim-space --yes` again: it goes on."
_SETTLED_S: Final = 60.0
_HEALTHY_S: Final = 30.0
_POLL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class ReclaimPlan:
    """What would be done. `members` in the order of their defragmentation, the leader last.

    `compact_to` 0: the history is too short to compact.
    """

    members: tuple[MemberStatus, ...]
    silent: tuple[str, ...]
    quota_bytes: int
    compact_to: int

    def quota_of(self, member: MemberStatus) -> int:
        """In bytes; as the member tells it, else as it is configured here."""
        return member.quota_bytes or self.quota_bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One step that is done: what, and what came of it."""

    name: str
    detail: str


def plan(
    members: Sequence[MemberStatus], endpoints: Sequence[str], quota_bytes: int
) -> ReclaimPlan:
    """What to do with these members, of those that are configured (`endpoints`). Pure.

    Raises:
        Unavailable: no member answers.
        QuorumLost: the members know no leader.
        ConfigError: the leader is none of the members that are named, so that others are not too.
    """
    if not members:
        raise Unavailable("No etcd member answers.")
    leaders = {member.leader_id for member in members if member.leader_id}
    if not leaders:
        raise QuorumLost("The members that answer know no leader; nothing was done.")
    if leaders.isdisjoint(member.member_id for member in members):
        msg = "etcd's leader is none of the members that are named; nothing was done."
        raise ConfigError(msg).advising("Name all members by --etcd.")
    newest = max(member.revision for member in members)
    return ReclaimPlan(
        tuple(sorted(members, key=lambda member: (_leads(member), member.endpoint))),
        tuple(sorted({*endpoints} - {member.endpoint for member in members})),
        quota_bytes,
        max(0, newest - KEPT_REVISIONS),
    )


async def reclaim(maintenance: Maintenance, todo: ReclaimPlan) -> AsyncGenerator[Step, None]:
    """Carry the plan out; each step is told once it is done. Members answer slowly meanwhile.

    Raises:
        BpsError: a step failed; facts: step, done (the steps before it). Nothing after it was done.
    """
    done: list[str] = []
    step = "compact"
    try:
        yield _told(done, await _compact(maintenance, todo.compact_to))
        waiting = {member.endpoint for member in todo.members}
        while waiting:
            step = "defragment"
            member = _next(await maintenance.members(), waiting)
            step = f"defragment {member.endpoint}"
            await maintenance.defragment(member.endpoint)
            after = await _healthy(maintenance, member.endpoint)
            waiting.discard(member.endpoint)
            detail = f"{member.db_size_bytes} bytes before, {after.db_size_bytes} now"
            yield _told(done, Step(step, detail))
        step = "disarm"
        yield _told(done, await _disarm(maintenance, todo))
    except BpsError as error:
        before = ", ".join(done) or "nothing"
        error.message = f"{step} failed: {error.message} Done before: {before}."
        error.facts.update(step=step, done=[*done])
        raise error.advising(error.next_action or AGAIN) from None


def _told(done: list[str], step: Step) -> Step:
    done.append(step.name)
    return step


def _leads(member: MemberStatus) -> bool:
    return member.leader_id == member.member_id


def _next(members: Sequence[MemberStatus], waiting: set[str]) -> MemberStatus:
    """The next to defragment, as things are by now: whoever leads comes last."""
    answering = [member for member in members if member.endpoint in waiting]
    if not answering:
        raise Unavailable(f"{', '.join(sorted(waiting))} does not answer.")
    return min(answering, key=lambda member: (_leads(member), member.endpoint))


async def _compact(maintenance: Maintenance, revision: int) -> Step:
    if not revision:
        return Step("compact", f"nothing to drop: the history has under {KEPT_REVISIONS} revisions")
    detail = f"history before revision {revision} is dropped"
    try:
        await maintenance.compact(revision)
    except Compacted:
        detail = f"history before revision {revision} was dropped before"
    before: list[int] = []
    for _ in range(int(_SETTLED_S / _POLL_S)):
        # The other members drop theirs in the background.
        now = [in_use_of(member) for member in await maintenance.members()]
        if now == before:
            break
        before = now
        await asyncio.sleep(_POLL_S)
    return Step("compact", detail)


async def _healthy(maintenance: Maintenance, endpoint: str) -> MemberStatus:
    """The member once it answers and follows a leader, and the cluster can be read."""
    for _ in range(int(_HEALTHY_S / _POLL_S)):
        found = {member.endpoint: member for member in await maintenance.members()}
        if endpoint in found and found[endpoint].leader_id:
            await maintenance.readable()
            return found[endpoint]
        await asyncio.sleep(_POLL_S)
    raise Unavailable(f"{endpoint} is not healthy {_HEALTHY_S:g} s after its defragmentation.")


async def _disarm(maintenance: Maintenance, todo: ReclaimPlan) -> Step:
    """Only where no member is over its quota: etcd would raise the alarm again at once."""
    members = await maintenance.members()
    for member in members:
        quota = todo.quota_of(member)
        if member.db_size_bytes >= quota:
            msg = f"{member.endpoint} still has {member.db_size_bytes} bytes of {quota}."
            raise NoSpace(msg).advising(
                "Start etcd with a larger --quota-backend-bytes, or delete what is not needed; "
                "then run `bps doctor --reclaim-space --yes` again: it goes on."
            )
    if not any(NO_SPACE_ALARM in member.alarms for member in members):
        return Step("disarm", "no alarm NOSPACE stands")
    for member in members:
        await maintenance.disarm_no_space(member.member_id)
    for _ in range(int(_HEALTHY_S / _POLL_S)):
        if not any(NO_SPACE_ALARM in member.alarms for member in await maintenance.members()):
            return Step("disarm", "the alarm NOSPACE is disarmed")
        await asyncio.sleep(_POLL_S)
    raise NoSpace("The alarm NOSPACE stands again, or belongs to a member that does not answer.")
