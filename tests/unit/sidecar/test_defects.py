"""What doctor says of etcd releases with known defects: a row each, or one for the embedded."""

from __future__ import annotations

import pytest

from bps.core.ports import MemberStatus
from bps.sidecar.diagnosis import _defects
from bps.store.versions import defects_of


@pytest.mark.parametrize("embedded", [True, False])
def test_the_embedded_etcd_is_one_warning_that_says_what_it_is_for(*, embedded: bool) -> None:
    member = MemberStatus(
        endpoint="127.0.0.1:2379",
        version="3.5.1",
        cluster_id=1,
        member_id=1,
        leader_id=1,
        raft_term=1,
        revision=1,
        db_size_bytes=1,
        alarms=(),
        defects=defects_of("3.5.1"),
    )
    rows = list(_defects([member, member], embedded=embedded))
    assert len(member.defects) > 3
    assert len(rows) == (1 if embedded else len(member.defects))
    assert ("for development only" in rows[0].detail) == embedded
    assert all(row.status == "warning" and row.next_action for row in rows)
