"""When writing stops for want of space, and when it goes on."""

from __future__ import annotations

import pytest

from bps.core.errors import ConfigError, NoSpace, QuorumLost, Unavailable
from bps.core.ports import MemberStatus
from bps.space.reclaim import KEPT_REVISIONS, plan
from bps.space.verdict import Space, no_room, space_of

QUOTA = 1_000


def member(n: int = 1, **fields: object) -> MemberStatus:
    """Member `n` of a cluster that member 1 leads."""
    known = {
        "endpoint": f"127.0.0.1:{n}",
        "version": "3.5.30",
        "cluster_id": 1,
        "member_id": n,
        "leader_id": 1,
        "raft_term": 1,
        "revision": 5_000,
        "db_size_bytes": 500,
        "alarms": (),
        "defects": (),
    }
    return MemberStatus(**{**known, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "in_use", "alarm", "held", "stops"),
    [
        (800, 800, False, False, False),
        (801, 800, False, False, True),
        (801, 749, False, False, False),
        (760, 760, False, True, True),
        (760, 749, False, True, False),
        (1_000, 10, False, False, True),
        (10, 10, True, False, True),
        (10, 10, True, True, True),
    ],
    ids=[
        "up to 80 % in the file",
        "over it",
        "a file that is mostly free",
        "held, and not below 75 % yet",
        "held, and below",
        "over the quota: the next write raises the alarm",
        "an alarm",
        "an alarm that stands",
    ],
)
def test_growing_writes_stop(size: int, in_use: int, alarm: bool, held: bool, stops: bool) -> None:
    refused = no_room(Space(size, in_use, QUOTA, alarm), held=held)
    assert (refused is not None) == stops
    if refused is not None:
        assert isinstance(refused, NoSpace)
        assert "--reclaim-space" in (refused.next_action or "")
        assert refused.facts["quota_bytes"] == "1000"


def test_the_fullest_member_counts() -> None:
    members = [
        member(1, db_size_bytes=10, in_use_bytes=9, quota_bytes=700),
        member(2, db_size_bytes=30, in_use_bytes=5),
        member(3, db_size_bytes=20, alarms=("NOSPACE",)),
    ]
    assert space_of(members, QUOTA) == Space(30, 20, 700, alarm=True)
    assert space_of([], QUOTA) is None


def test_the_plan_takes_the_leader_last_and_names_who_is_silent() -> None:
    endpoints = [f"127.0.0.1:{n}" for n in (1, 2, 3)]
    todo = plan([member(1), member(3, revision=5_001)], endpoints, QUOTA)
    assert [each.member_id for each in todo.members] == [3, 1]
    assert todo.silent == ("127.0.0.1:2",)
    assert todo.compact_to == 5_001 - KEPT_REVISIONS
    assert plan([member(1, revision=7)], (), QUOTA).compact_to == 0


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ([], Unavailable),
        ([member(2, leader_id=0)], QuorumLost),
        ([member(2)], ConfigError),
    ],
    ids=["nobody answers", "no leader", "the leader is not named"],
)
def test_nothing_is_planned_without_a_quorum_and_its_leader(
    members: list[MemberStatus], error: type[Exception]
) -> None:
    with pytest.raises(error):
        plan(members, (), QUOTA)
