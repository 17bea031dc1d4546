"""What `bps doctor` and `/v1/doctor` look at: members, versions, space, set-up, leadership."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress

from bps.api.views import CheckView
from bps.checkpoints.trust import (
    Status,
    TrustCheck,
    trust_in_mirror,
    trust_in_sidecar,
    trust_in_store,
)
from bps.core import keys
from bps.core.error_catalogue import next_action_of
from bps.core.errors import AccessDenied, BpsError, IntegrityError, NotLeader
from bps.core.ports import Capability, Key, MemberStatus, Prefix, Read, Store
from bps.core.txn import KV
from bps.keyring.read import read_registry
from bps.leadership.election import Holder
from bps.leadership.modes import Mode, Reason
from bps.plans.cloudevents import rfc3339
from bps.policy.model import Policy
from bps.sidecar.clock_row import clock_row
from bps.sidecar.peers import MAX_SIDECARS
from bps.sidecar.presence import SidecarPresence, presence_at
from bps.sidecar.sidecar import Sidecar
from bps.sidecar.terms import Terms
from bps.sidecar.validators_row import validators_row
from bps.space.verdict import DEFAULT_QUOTA_BYTES, FULL, NO_SPACE_ALARM, RECLAIM, in_use_of

_UPGRADE = "Upgrade etcd; for the embedded one, name a newer program by BPS_ETCD_BIN."

CheckVersions = Callable[[], Awaitable[object]]
"""Raises where a member has a version that must not be used."""


async def diagnose(
    store: Store,
    *,
    endpoints: Sequence[str],
    check_versions: CheckVersions,
    quota_bytes: int = DEFAULT_QUOTA_BYTES,
) -> list[CheckView]:
    """All checks of the store, failed ones included; two round trips and one to each member.

    They are asked at once: where nothing answers, each of them waits until its deadline.

    `endpoints` are the members that should answer, `quota_bytes` is the quota of those that do not
    tell theirs.

    Raises:
        Unavailable: no member answers at all.
    """
    members, contents, trust = await asyncio.gather(
        _members(store, endpoints, check_versions, quota_bytes), _contents(store), _trust(store)
    )
    return [*_adapter(store), *members, *contents, *trust]


async def diagnose_sidecar(sidecar: Sidecar) -> list[CheckView]:
    """The checks of a running sidecar; two round trips."""
    terms, feed = sidecar.terms, sidecar.feed
    writes = terms.mode is Mode.READ_WRITE
    url = sidecar.readiness().leader_url
    action = f"Write to the sidecar that leads{f', {url}' if url else ''}."
    if terms.reason is Reason.STORE_ROLLED_BACK:
        action = "Write nowhere, and find out who did it: docs/playbooks/restored-snapshot.md."
    elif terms.reason is Reason.STORE_UNREADABLE:
        action = "Run the newest release; if it says the same, compare the store with a backup."
    elif terms.holds and not isinstance(terms.holds[0].error, NotLeader):
        action = next_action_of(terms.holds[0].error)
    validators = await validators_row(sidecar.store)
    watch = f"revision {feed.revision}" + ("" if feed.warm else ", interrupted")
    return [
        _check("mode", "ok" if writes else "warning", _mode(terms), action),
        _check("watch", "ok" if feed.warm else "warning", watch, "Check that etcd runs."),
        clock_row(sidecar.clocks.offset, terms.holds),
        *([] if validators is None else [validators]),
        *map(_trusted, await _trust_of(sidecar)),
    ]


def _mode(terms: Terms) -> str:
    """The mode since when, and all that forbids writing."""
    since = f"{terms.mode.value} since {rfc3339(terms.edges.last.at_ms)}"
    holds = [f"{hold.reason.value}: {hold.error.message}" for hold in terms.holds]
    return "; ".join([since, *holds])


async def _trust_of(sidecar: Sidecar) -> list[TrustCheck]:
    registry = None
    with suppress(BpsError):
        # The checks `quorum` and `key registry` say it.
        registry = await read_registry(sidecar.store)
    keeper, mirror = sidecar.checkpoints, sidecar.mirror
    return [
        *trust_in_sidecar(sidecar.settings.signer, registry, keeper.problem, keeper.diverged),
        trust_in_mirror(mirror.mirror, mirror.problem),
    ]


async def _trust(store: Store) -> list[CheckView]:
    try:
        return [*map(_trusted, await trust_in_store(store))]
    except BpsError:
        # The check `quorum` has said it.
        return []


def _trusted(row: TrustCheck) -> CheckView:
    return _check(row.name, row.status, row.detail, row.action)


def _adapter(store: Store) -> Iterator[CheckView]:
    lacking = [each.value for each in Capability if each not in store.capabilities]
    if lacking:
        detail = f"{type(store).__name__} cannot do: {', '.join(lacking)}"
        yield _check("adapter", "warning", detail, "Use `--store etcd` where gRPC can pass.")


async def _members(
    store: Store, endpoints: Sequence[str], check_versions: CheckVersions, quota_bytes: int
) -> list[CheckView]:
    try:
        members = await store.status()
    except AccessDenied as error:
        action = "Correct user and password; only etcd's role root sees members and alarms."
        return [_check("members", "warning", error.message, action)]
    silent = sorted({*endpoints} - {member.endpoint for member in members})
    detail = f"{len(members)} of {len(members) + len(silent)} answer"
    detail += f"; silent: {', '.join(silent)}" if silent else ""
    action = "Start the members that do not answer; the check `quorum` tells if enough are left."
    status: Status = "ok" if not silent else "warning" if members else "failed"
    checks = [_check("members", status, detail, action)]
    for member in members:
        checks += _member(member, member.quota_bytes or quota_bytes)
    checks += _defects(members, embedded=not endpoints)
    try:
        await check_versions()
    except BpsError as error:
        checks.append(_check("versions", "failed", error.message, "Upgrade etcd."))
    return checks


def _check(name: str, status: Status, detail: str, action: str = "") -> CheckView:
    next_action = "" if status == "ok" else action
    return CheckView(check=name, status=status, detail=detail, next_action=next_action)


def _member(member: MemberStatus, quota_bytes: int) -> Iterator[CheckView]:
    size, in_use = member.db_size_bytes, in_use_of(member)
    detail = f"etcd {member.version}, {size} bytes of {quota_bytes}, {in_use} in use"
    if member.alarms:
        action = RECLAIM if NO_SPACE_ALARM in member.alarms else "See etcd's log and its manual."
        alarms = f"alarms {', '.join(member.alarms)}; {detail}"
        yield _check(member.endpoint, "failed", alarms, action)
    elif not member.leader_id:
        yield _check(member.endpoint, "failed", "knows no leader", "Restore the quorum.")
    elif size > quota_bytes * FULL:
        yield _check(member.endpoint, "warning", detail, RECLAIM)
    else:
        yield _check(member.endpoint, "ok", detail)


def _defects(members: Sequence[MemberStatus], *, embedded: bool) -> Iterator[CheckView]:
    """What is known against the versions that answer; of the embedded etcd in one row."""
    known = dict.fromkeys((m.version, defect) for m in members for defect in m.defects)
    if embedded and known:
        (version, first), more = next(iter(known)), len(known) - 1
        detail = f"the embedded etcd is for development only: {first}; and {more} more defects"
        action = "For real plans use a cluster of a newer etcd (--etcd), or name one: BPS_ETCD_BIN."
        yield _check(f"etcd {version}", "warning", detail, action)
        return
    for version, defect in known:
        yield _check(f"etcd {version}", "warning", defect, _UPGRADE)


async def _contents(store: Store) -> list[CheckView]:
    wanted: list[Read] = [
        Key(keys.SCHEMA),
        Key(keys.POLICY_CURRENT),
        Key(keys.LEADER_HOLDER),
        Prefix(keys.SIDECARS, limit=MAX_SIDECARS),
    ]
    try:
        schema, policy, holder, living = (await store.snapshot(wanted)).answers
    except BpsError as error:
        denied = isinstance(error, AccessDenied)
        action = next_action_of(error) if denied else "Restore the quorum."
        return [_check("quorum", "failed", error.message, action)]
    store_is = f"policy {Policy.decode(policy[0].value).n}" if policy else "not initialised"
    return [
        _check("quorum", "ok", "a linearizable read works"),
        _check("store", "ok" if schema else "warning", store_is, "Run `bps init`."),
        _check("leader", "ok", _leader(holder, living)),
    ]


def _leader(holder: Sequence[KV], living: Sequence[KV]) -> str:
    """Who leads and where it is asked; the sidecars that stand by."""
    found: list[SidecarPresence] = []
    for kv in living:
        with suppress(IntegrityError):
            # One that says nothing readable is not shown.
            found.append(presence_at(kv))
    urls = {each.name: f"{each.name} at {each.url}" if each.url else each.name for each in found}
    name = Holder.decode(holder[0].value).sidecar if holder else None
    leader = "nobody; no one is writing" if name is None else urls.get(name, name)
    others = sorted(text for each, text in urls.items() if each != name)
    return f"{leader}; standing by: {', '.join(others)}" if others else leader
