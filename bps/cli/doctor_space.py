"""`bps doctor --reclaim-space`: the plan, then its steps, straight at etcd's members."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from bps.bootstrap import maintenance
from bps.cli.output import Format, note, show
from bps.cli.way import Origin, Way
from bps.core.errors import ConfigError
from bps.space.reclaim import KEPT_REVISIONS, ReclaimPlan, plan
from bps.space.reclaim import reclaim as steps_of
from bps.space.verdict import in_use_of

if TYPE_CHECKING:
    from bps.api.views import CheckView
    from bps.cli.session import Session


async def reclaim(session: Session, *, yes: bool, form: Format) -> None:
    """Print the plan; with `yes` carry it out too, telling each step once it is done.

    Raises:
        ConfigError: a service is named and no member of etcd.
        CapabilityMissing: etcd is spoken to by its gateway.
        BpsError: what the plan or a step raises.
    """
    from bps.api.views import CheckView  # noqa: PLC0415 - only where used

    _check_named(session)
    settings = session.settings
    async with session.store() as store:
        keeper = maintenance(store)
        todo = plan(await keeper.members(), settings.endpoints, settings.quota_bytes)
        rows = _rows(todo)
        if not yes:
            show(rows, form)
            note("next: add --yes to do it; each member answers slowly while its turn lasts")
            return
        if form is Format.TABLE:
            show(rows, form)
        done: list[CheckView] = []
        async with aclosing(steps_of(keeper, todo)) as steps:
            async for step in steps:
                note(f"done: {step.name}: {step.detail}")
                done.append(
                    CheckView(check=step.name, status="ok", detail=step.detail, next_action="")
                )
        show(done, form)


def _check_named(session: Session) -> None:
    """That the default, an etcd of our own, is not taken for the one of the service."""
    connection = session.connection
    if connection.etcd is Origin.NOWHERE and connection.to_read() is Way.SERVICE:
        msg = "--reclaim-space acts on etcd itself, and only a service is named."
        raise ConfigError(msg).advising(
            "Name all members of its etcd, which `bps doctor` lists: "
            "`bps --etcd HOST:PORT,... doctor --reclaim-space`."
        )


def _rows(todo: ReclaimPlan) -> list[CheckView]:
    from bps.api.views import CheckView  # noqa: PLC0415 - only where used

    kept = f"to revision {todo.compact_to}; the newest {KEPT_REVISIONS} revisions are kept"
    detail = kept if todo.compact_to else f"nothing: under {KEPT_REVISIONS} revisions"
    rows = [CheckView(check="compact", status="ok", detail=detail, next_action="")]
    for member in todo.members:
        size, in_use, quota = member.db_size_bytes, in_use_of(member), todo.quota_of(member)
        leads = ", leads" if member.leader_id == member.member_id else ""
        alarms = f", alarms {', '.join(member.alarms)}" if member.alarms else ""
        free = f"{size} bytes of {quota}, {in_use} in use: {max(0, size - in_use)} to be freed now"
        rows.append(
            CheckView(
                check=f"defragment {member.endpoint}",
                status="warning" if alarms else "ok",
                detail=f"{free}{leads}{alarms}",
                next_action="",
            )
        )
    alarmed = any(member.alarms for member in todo.members)
    detail = "NOSPACE, if no member is over its quota by then" if alarmed else "no alarm stands"
    rows.append(CheckView(check="disarm", status="ok", detail=detail, next_action=""))
    if todo.silent:
        action = "Start them first, if you can: with them the quorum stands while others work."
        names = ", ".join(todo.silent)
        rows.append(CheckView(check="silent", status="warning", detail=names, next_action=action))
    return rows
