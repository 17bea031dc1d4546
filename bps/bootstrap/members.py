"""Which etcd is talked to: versions that are known to corrupt data are refused."""

from __future__ import annotations

from bps.bootstrap.settings import Settings
from bps.core.errors import AccessDenied
from bps.core.ports import MemberStatus, Store


async def check_members(store: Store, settings: Settings) -> tuple[MemberStatus, ...]:
    """The members that answer; refuses those that are known to corrupt data.

    etcd tells its status to users with the role root only; for others nothing can be checked, and
    the answer is empty.

    Raises:
        ConfigError: an etcd whose defects are not acceptable, or members of several clusters.
    """
    from bps.store.versions import check_servers  # noqa: PLC0415

    try:
        members = await store.status()
    except AccessDenied:
        return ()
    check_servers(members, allow_old=settings.allow_old_etcd or not settings.endpoints)
    return members
