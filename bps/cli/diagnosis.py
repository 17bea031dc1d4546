"""What `bps doctor` looks at: members, versions, quorum, space, set-up, leadership."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bps.api.views import CheckView
from bps.bootstrap import Settings, check_members
from bps.core import keys
from bps.core.errors import AccessDenied, BpsError
from bps.core.ports import Key, MemberStatus, Store
from bps.leadership.election import Holder
from bps.policy.model import Policy

QUOTA_BYTES = 8 * 2**30
"""The quota of our compose file and of the embedded etcd (design, "etcd")."""
_SPACE_WARNING = 0.8
_UPGRADE = "Upgrade etcd; for the embedded one, name a newer program by BPS_ETCD_BIN."

Status = Literal["ok", "warning", "failed"]


async def diagnose(store: Store, settings: Settings) -> list[CheckView]:
    """All checks, failed ones included; two round trips and one to each member.

    Raises:
        Unavailable: no member answers at all.
    """
    return [*await _members(store, settings), *await _contents(store)]


async def _members(store: Store, settings: Settings) -> list[CheckView]:
    try:
        members = await store.status()
    except AccessDenied as error:
        action = "Give the user etcd's role root to see members, versions and alarms."
        return [_check("members", "warning", error.message, action)]
    silent = sorted({*settings.endpoints} - {member.endpoint for member in members})
    detail = f"{len(members)} of {len(members) + len(silent)} answer"
    detail += f"; silent: {', '.join(silent)}" if silent else ""
    action = "Start the members that do not answer; the check `quorum` tells if enough are left."
    status: Status = "ok" if not silent else "warning" if members else "failed"
    checks = [_check("members", status, detail, action)]
    for member in members:
        checks += _member(member)
    try:
        await check_members(store, settings)
    except BpsError as error:
        checks.append(_check("versions", "failed", error.message, "Upgrade etcd."))
    return checks


def _check(name: str, status: Status, detail: str, action: str = "") -> CheckView:
    next_action = "" if status == "ok" else action
    return CheckView(check=name, status=status, detail=detail, next_action=next_action)


def _member(member: MemberStatus) -> Iterator[CheckView]:
    detail = f"etcd {member.version}, {member.db_size_bytes} bytes"
    if member.alarms:
        action = "Compact, defragment, disarm."
        yield _check(member.endpoint, "failed", f"alarms {', '.join(member.alarms)}", action)
    elif not member.leader_id:
        yield _check(member.endpoint, "failed", "knows no leader", "Restore the quorum.")
    elif member.db_size_bytes > QUOTA_BYTES * _SPACE_WARNING:
        yield _check(member.endpoint, "warning", detail, "Compact and defragment soon.")
    else:
        yield _check(member.endpoint, "ok", detail)
    for defect in member.defects:
        yield _check(f"etcd {member.version}", "warning", defect, _UPGRADE)


async def _contents(store: Store) -> list[CheckView]:
    wanted = [Key(keys.SCHEMA), Key(keys.POLICY_CURRENT), Key(keys.LEADER_HOLDER)]
    try:
        schema, policy, holder = (await store.snapshot(wanted)).answers
    except BpsError as error:
        return [_check("quorum", "failed", error.message, "Restore the quorum.")]
    leader = Holder.decode(holder[0].value).sidecar if holder else "nobody; no one is writing"
    store_is = f"policy {Policy.decode(policy[0].value).n}" if policy else "not initialised"
    return [
        _check("quorum", "ok", "a linearizable read works"),
        _check("store", "ok" if schema else "warning", store_is, "Run `bps init`."),
        _check("leader", "ok", leader),
    ]
