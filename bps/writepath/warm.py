"""Warm views of plans: the leader's own last writes spare it the snapshot of the next.

A view of a plan stays true as long as the plan's head does not change, and every decision's
transaction compares the head. So a stale view costs one failed compare, never a wrong write.
"""

from __future__ import annotations

from collections import OrderedDict

from bps.core import keys
from bps.core.txn import KV, Condition, Put, Txn
from bps.writepath.view import View

MAX_KEYS = 200_000
"""Keys kept over all plans, at roughly 1 KB each."""
MAX_KEYS_A_PLAN = 5_000


class WarmPlans:
    """Views by plan, least recently used out first; and the few records outside of plans."""

    def __init__(self) -> None:
        self._plans: OrderedDict[str, View] = OrderedDict()
        self._outside: dict[bytes, KV | None] = {}
        self._size = 0

    def view(self, plan: str) -> View | None:
        """A copy that a decision may work on, or None where nothing is known."""
        known = self._plans.get(plan)
        if known is None:
            return None
        self._plans.move_to_end(plan)
        view = known.copy()
        for key, kv in self._outside.items():
            view.put(key, kv)
        return view

    def keep(
        self,
        plan: str,
        view: View,
        txn: Txn,
        compares: tuple[Condition, ...],
        revision: int,
    ) -> None:
        """Remember what `view` says after `txn`, which was decided on it and applied at `revision`.

        The keys outside of the plan that are kept are those of the decision's own `compares`.
        """
        plan_keys = keys.PlanKeys(plan)
        for key in view.guessed:
            view.put(key, None)
        unkept = (plan_keys.events, plan_keys.bodies, plan_keys.blobs, plan_keys.versions)
        for put in txn.operations:
            if isinstance(put, Put) and not put.key.startswith(unkept):
                view.put(put.key, KV(put.key, put.value, revision, revision, put.lease_id))
        outside = [
            compare.key
            for compare in compares
            if compare.key != plan_keys.record and not compare.key.startswith(plan_keys.root)
        ]
        self.drop(plan)
        part = view.within(plan_keys.root, plan_keys.record)
        if len(self._outside) > MAX_KEYS_A_PLAN:
            self._outside.clear()
        self._outside.update((key, view.get(key)) for key in outside)
        if len(part) <= MAX_KEYS_A_PLAN:
            self._plans[plan] = part
            self._size += len(part)
        while self._size > MAX_KEYS:
            _, oldest = self._plans.popitem(last=False)
            self._size -= len(oldest)

    def drop(self, plan: str) -> None:
        """Forget a plan."""
        known = self._plans.pop(plan, None)
        self._size -= len(known) if known is not None else 0
