"""Decoding a plan's stored records, each held against the key that it lies at.

A record that was copied or moved to another key decodes well, and would be acted on as that one.
"""

from __future__ import annotations

from typing import TypeVar

from bps.core.errors import MalformedRecord
from bps.core.keys import PlanKeys
from bps.core.txn import KV
from bps.plans.model import Branch, Plan, RRPlan, State, Version
from bps.plans.reviews import Review


def plan_at(plan_keys: PlanKeys, kv: KV) -> Plan:
    """The plan's own record. Raises MalformedRecord, SchemaTooNew."""
    plan = Plan.decode(kv.value, key=kv.key)
    return _checked(plan, kv, PlanKeys(plan.plan).record, plan_keys.record)


def version_at(plan_keys: PlanKeys, kv: KV) -> Version:
    """A version, or the canonical one. Raises MalformedRecord, SchemaTooNew."""
    version = Version.decode(kv.value, key=kv.key)
    owner = PlanKeys(version.plan)
    if kv.key == plan_keys.canonical:
        return _checked(version, kv, owner.canonical, plan_keys.canonical)
    return _checked(version, kv, owner.version(version.version), kv.key)


def branch_at(plan_keys: PlanKeys, kv: KV) -> Branch:
    """A branch. Raises MalformedRecord, SchemaTooNew."""
    branch = Branch.decode(kv.value, key=kv.key)
    return _checked(branch, kv, plan_keys.branch(branch.branch), kv.key)


def rr_plan_at(kv: KV) -> RRPlan:
    """An RR-plan. Raises MalformedRecord, SchemaTooNew."""
    rr_plan = RRPlan.decode(kv.value, key=kv.key)
    own = PlanKeys(rr_plan.plan).rr_plan(rr_plan.branch, rr_plan.n)
    if rr_plan.branch not in rr_plan.clock:
        raise MalformedRecord(f"The clock of {rr_plan.rr_plan} lacks its own branch.")
    if rr_plan.digest is None and rr_plan.state is State.SUCCEEDED:
        raise MalformedRecord(f"{rr_plan.rr_plan} has succeeded without a blueprint.")
    return _checked(rr_plan, kv, own, kv.key)


def review_at(plan_keys: PlanKeys, kv: KV) -> Review:
    """A review, or the newest one. Raises MalformedRecord, SchemaTooNew."""
    review = Review.decode(kv.value, key=kv.key)
    owner = PlanKeys(review.plan)
    if kv.key == plan_keys.newest_review:
        return _checked(review, kv, owner.newest_review, plan_keys.newest_review)
    return _checked(review, kv, owner.review(review.n), kv.key)


_AnyRecord = TypeVar("_AnyRecord", Plan, Version, Branch, RRPlan, Review)


def _checked(record: _AnyRecord, kv: KV, own: bytes, expected: bytes) -> _AnyRecord:
    if not own == expected == kv.key:
        where = kv.key.decode(errors="replace")
        msg = f"The record stored at {where} is another one's: {own.decode(errors='replace')}."
        raise MalformedRecord(msg, key=where)
    return record
