"""Old servers are named with their defects."""

from __future__ import annotations

import pytest

from bps.core.errors import ConfigError
from bps.core.ports import MemberStatus
from bps.store.versions import check_servers, defects_of


def member(version: str, *, endpoint: str = "127.0.0.1:1", cluster_id: int = 1) -> MemberStatus:
    return MemberStatus(
        endpoint=endpoint,
        version=version,
        cluster_id=cluster_id,
        member_id=1,
        leader_id=1,
        raft_term=2,
        revision=1,
        db_size_bytes=0,
        alarms=(),
        defects=defects_of(version),
    )


@pytest.mark.parametrize("version", ["3.5.0", "3.5.1", "3.5.2"])
def test_versions_that_corrupt_data_are_refused(version: str) -> None:
    with pytest.raises(ConfigError, match=version) as caught:
        check_servers([member("3.5.30"), member(version)], allow_old=False)
    assert "13766" in str(caught.value.facts["defect"])
    assert any("13766" in warning for warning in check_servers([member(version)], allow_old=True))


@pytest.mark.parametrize(
    ("version", "stale"),
    [
        ("3.4.41", True),
        ("3.4.42", False),
        ("3.5.3", True),
        ("3.5.27", True),
        ("3.5.28", False),
        ("3.6.8", True),
        ("3.6.9", False),
        ("3.7.0", False),
    ],
)
def test_stale_reads_are_a_warning(version: str, stale: bool) -> None:
    warnings = check_servers([member(version)], allow_old=False)
    assert any("20418" in warning for warning in warnings) == stale


@pytest.mark.parametrize("version", ["3.5.30", "3.6.11", "3.7.0", "memory", ""])
def test_nothing_is_known_against_these(version: str) -> None:
    assert defects_of(version) == ()
    assert check_servers([member(version)] * 3, allow_old=False) == ()


def test_pre_releases_count_as_their_release() -> None:
    assert defects_of("3.5.1-rc.0") == defects_of("3.5.1")


def test_a_version_is_warned_of_once() -> None:
    warnings = check_servers([member("3.5.29")] * 3, allow_old=False)
    assert len(warnings) == len(set(warnings)) == 1


def test_members_of_different_clusters_are_refused() -> None:
    statuses = [member("3.5.30"), member("3.5.30", endpoint="127.0.0.1:2", cluster_id=2)]
    with pytest.raises(ConfigError, match="different clusters") as caught:
        check_servers(statuses, allow_old=True)
    assert caught.value.facts["endpoints"] == ["127.0.0.1:1", "127.0.0.1:2"]
