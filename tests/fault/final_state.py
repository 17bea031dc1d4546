"""What etcd keeps of the plans in the end, read by the adapter and decoded without the slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.ports import Store
from bps.core.txn import KV

_PAGE = 500


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event as stored. `revision` is when it was written last, `created` when first.

    `version` and `digest` are those that its body names, if it names any.
    """

    plan: str
    seq: int
    revision: int
    created: int
    type: str
    op: str
    hash: str
    branch: str | None = None
    rr: int | None = None
    trace_id: str | None = None
    version: int | None = None
    digest: str | None = None

    @property
    def op_id(self) -> str:
        """The operation's id, without who acted."""
        return self.op.partition("/")[2]


@dataclass(frozen=True, slots=True)
class FinalState:
    """All events of all plans of a run."""

    events: Mapping[str, tuple[LoggedEvent, ...]]

    def by_operation(self) -> dict[str, list[LoggedEvent]]:
        """Events by the id of their operation."""
        found: dict[str, list[LoggedEvent]] = {}
        for log in self.events.values():
            for event in log:
                found.setdefault(event.op_id, []).append(event)
        return found


async def read_final(store: Store, plans: Iterable[str]) -> FinalState:
    """Read every plan's log; one round trip per 500 events or bodies. Raises Unavailable."""
    return FinalState({plan: await _log(store, plan) for plan in plans})


async def _log(store: Store, plan: str) -> tuple[LoggedEvent, ...]:
    plan_keys = keys.PlanKeys(plan)
    envelopes = await _all(store, plan_keys.events)
    bodies = await _all(store, plan_keys.bodies)
    by_seq = {keys.last_number(kv.key): orjson.loads(kv.value) for kv in bodies}
    return tuple(_event(plan, kv, by_seq.get(keys.last_number(kv.key), {})) for kv in envelopes)


async def _all(store: Store, prefix: bytes) -> list[KV]:
    found: list[KV] = []
    start, more = prefix, True
    while more:
        page = await store.page(start, keys.after_prefix(prefix), limit=_PAGE)
        found += page.kvs
        more = page.more
        start = page.kvs[-1].key + b"\x00" if page.kvs else prefix
    return found


def _event(plan: str, kv: KV, body: Mapping[str, Any]) -> LoggedEvent:
    fields = orjson.loads(kv.value)
    return LoggedEvent(
        plan=plan,
        seq=keys.last_number(kv.key) or 0,
        revision=kv.mod_revision,
        created=kv.create_revision,
        type=fields["type"],
        op=fields["op"],
        hash=sha256_hex(kv.value),
        branch=fields["branch"],
        rr=_number(fields["rr"]),
        trace_id=fields["trace_id"],
        version=_number(body.get("version")),
        digest=body.get("digest"),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
