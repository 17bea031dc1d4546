"""Servers with known defects, and what to do about them. Sources: etcd's changelogs and issues."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bps.core.errors import ConfigError
from bps.core.ports import MemberStatus

_Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Defect:
    """Versions from `first` up to, not including, `fixed` have it; `fatal` ones are refused."""

    first: _Version
    fixed: _Version
    sentence: str
    fatal: bool = False


_STALE = "reads called linearizable can be stale after a member was paused (etcd #20418)"
_NOSPACE = "a full store refuses even transactions that only delete (etcd pull 14884)"
_BYPASS = "etcd's own roles can be bypassed by nested transactions (GHSA-x35m-3gp4-4fh5)"
_DEFECTS: tuple[_Defect, ...] = (
    _Defect(
        (3, 5, 0),
        (3, 5, 3),
        "a member killed under load can hold other data than the rest, unnoticed (etcd #13766)",
        fatal=True,
    ),
    _Defect((3, 5, 0), (3, 5, 5), "a lone member can lose acknowledged writes (etcd pull 14424)"),
    _Defect((3, 5, 0), (3, 5, 7), _NOSPACE),
    _Defect((3, 5, 0), (3, 5, 13), "a deposed leader can revoke live leases (etcd pull 17425)"),
    _Defect((3, 5, 0), (3, 5, 16), "a watch can miss a deletion that is compacted (etcd #18089)"),
    _Defect((3, 4, 0), (3, 4, 42), _STALE),
    _Defect((3, 5, 0), (3, 5, 28), _STALE),
    _Defect((3, 6, 0), (3, 6, 9), _STALE),
    _Defect((3, 4, 0), (3, 4, 44), _BYPASS),
    _Defect((3, 5, 0), (3, 5, 30), _BYPASS),
    _Defect((3, 6, 0), (3, 6, 11), _BYPASS),
)


def _parse(version: str) -> _Version | None:
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        return None
    major, minor, patch = found.groups()
    return int(major), int(minor), int(patch)


def _known(version: str) -> list[_Defect]:
    parsed = _parse(version)
    if parsed is None:
        return []
    return [defect for defect in _DEFECTS if defect.first <= parsed < defect.fixed]


def defects_of(version: str) -> tuple[str, ...]:
    """The known defects of an etcd version, one sentence each."""
    return tuple(
        f"{defect.sentence}; fixed in {'.'.join(map(str, defect.fixed))}"
        for defect in _known(version)
    )


def check_servers(statuses: Sequence[MemberStatus], *, allow_old: bool) -> tuple[str, ...]:
    """Judge the servers that answered before anything is stored in them.

    Args:
        statuses: from `Store.status`.
        allow_old: also run on versions that corrupt data (embedded default, test clusters).

    Returns:
        One warning for each defect of each version that answers.

    Raises:
        ConfigError: the members belong to different clusters, or a version that is known to
            corrupt data answers and `allow_old` is not set.
    """
    clusters = {status.cluster_id: status.endpoint for status in statuses}
    if len(clusters) > 1:
        named = ", ".join(f"{endpoint} ({number:x})" for number, endpoint in clusters.items())
        raise ConfigError(
            f"The configured etcd endpoints belong to different clusters: {named}.",
            endpoints=list(clusters.values()),
        ).advising("Name the members of one cluster only.")
    warnings: list[str] = []
    for version in sorted({status.version for status in statuses}):
        for defect in _known(version):
            if defect.fatal and not allow_old:
                raise ConfigError(
                    f"etcd {version} is refused: {defect.sentence}. Upgrade to 3.5.28 or newer.",
                    version=version,
                    defect=defect.sentence,
                )
        warnings += [f"etcd {version}: {sentence}." for sentence in defects_of(version)]
    return tuple(warnings)
