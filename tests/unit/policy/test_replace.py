"""Replacing the policy, and preconditions as part of decisions."""

from __future__ import annotations

import pytest

from bps.core import keys
from bps.core.codec import canonical_json, sha256_hex
from bps.core.errors import (
    ConfigError,
    IdempotencyKeyReused,
    InvalidInput,
    LimitExceeded,
    PreconditionFailed,
)
from bps.core.txn import Delete, Txn
from bps.plans.branches import OpenBranch
from bps.policy.model import DEFAULT_POLICY, Policy
from bps.policy.read import policy_in_force
from bps.policy.replace import ReplacePolicy
from bps.promotion.promote import Promote
from bps.promotion.revert import Revert
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene, ref

RULES = {**DEFAULT_POLICY.rules, "max_branches": 9}


def replacing(
    op_id: str = "r", n: int | None = None, seen: tuple[str, ...] = ("*",), **rules: int
) -> ReplacePolicy:
    return ReplacePolicy(WHO, op_id, {**RULES, **rules}, n, seen)


@asynchronous
async def test_a_replacement_costs_one_snapshot_and_one_transaction() -> None:
    scene = await Scene.make()
    outcome = await scene.path.execute(replacing())
    assert (outcome.how, outcome.result.n) == ("committed", 2)
    assert scene.store.calls == ["snapshot", "commit"]
    written = {put.key: getattr(put, "value", b"") for put in scene.store.txns[0].operations}
    encoded = Policy.model_validate({**RULES, "n": 2}).encode()
    assert written[keys.POLICY_CURRENT] == written[keys.policy(2)] == encoded
    again = await scene.path.execute(replacing())
    assert (again.how, again.result) == ("repeated", outcome.result)
    with pytest.raises(IdempotencyKeyReused):
        await scene.path.execute(replacing(max_branches=8))


@pytest.mark.parametrize("n", [1, 3])
def test_a_number_that_is_not_the_next_is_refused(n: int) -> None:
    @asynchronous
    async def check() -> None:
        scene = await Scene.make()
        with pytest.raises(InvalidInput):
            await scene.path.execute(replacing(n=n))
        assert scene.store.writes == 0

    check()


@asynchronous
async def test_a_policy_that_was_replaced_in_between_is_not_overwritten() -> None:
    scene = await Scene.make()
    seen = (await policy_in_force(scene.memory)).in_force.etag
    await scene.path.execute(replacing("one", seen=(seen,)))
    with pytest.raises(PreconditionFailed) as refused:
        await scene.path.execute(replacing("two", seen=(seen,), max_branches=8))
    assert str(refused.value.facts["etag"]).startswith('"2-')
    with pytest.raises(PreconditionFailed):
        await scene.path.execute(replacing("three", seen=(), max_branches=8))


@asynchronous
async def test_a_replacement_between_decision_and_commit_is_decided_again() -> None:
    scene = await Scene.make()
    await scene.open("T1")
    await scene.cold().execute(replacing(max_branches=1))
    # Warm, the old policy would allow a second branch.
    with pytest.raises(LimitExceeded):
        await scene.open("T2")


@asynchronous
async def test_a_store_without_a_policy_is_not_given_one_by_the_way() -> None:
    scene = await Scene.make(plan=None)
    await scene.memory.commit(Txn((), (Delete(keys.POLICY_CURRENT),)))
    with pytest.raises(ConfigError):
        await scene.path.execute(replacing())
    with pytest.raises(ConfigError):
        await policy_in_force(scene.memory)


def digest_of(command: str, fields: dict[str, object]) -> str:
    return sha256_hex(canonical_json({"command": command, "fields": fields}))


def test_operations_of_earlier_releases_keep_their_digests() -> None:
    """Or a request that is repeated over an upgrade would be another one."""
    promote = Promote(WHO, "p", PLAN, (), "why")
    assert promote.operation.request == digest_of(
        "promote", {"plan": PLAN, "refs": [], "reason": "why"}
    )
    revert = Revert(WHO, "v", PLAN, 1, "why")
    assert revert.operation.request == digest_of(
        "revert", {"plan": PLAN, "to": "1", "reason": "why"}
    )
    opening = OpenBranch(WHO, "o", PLAN, "T", "F", clock={"canonical": 2**53 - 1})
    fields = {"plan": PLAN, "trace_id": "T", "fingerprint": "F", "summary": "", "parent_rr": None}
    clock = {"canonical": 2**53 - 1}
    assert opening.operation.request == digest_of("open_branch", {**fields, "clock": clock})


def test_a_precondition_is_part_of_the_request() -> None:
    digests = {
        Promote(WHO, "p", PLAN, (), "why", seen).operation.request
        for seen in (None, (), ("*",), ("1-a",), ("1-a", "2-b"))
    }
    assert len(digests) == 5
    one, other = (Promote(WHO, "p", PLAN, (), "", seen) for seen in (("a", "b"), ("b", "a")))
    assert one.operation.request == other.operation.request


@asynchronous
async def test_a_precondition_is_judged_on_the_present_version_even_where_the_view_is_warm() -> (
    None
):
    scene = await Scene.make()
    await scene.promote(await scene.succeed("T1", b"v2"))
    seen = (await scene.versions())[-1].etag
    waiting = await scene.succeed("T2", b"v3")
    await scene.cold().execute(Revert(WHO, "elsewhere", PLAN, 1, "why"))
    with pytest.raises(PreconditionFailed):
        await scene.path.execute(Promote(WHO, "p", PLAN, (ref(waiting),), "", (seen,)))
    with pytest.raises(PreconditionFailed):
        await scene.path.execute(Revert(WHO, "r", PLAN, 2, "why", (seen,)))
    assert len(await scene.versions()) == 3


def test_counters_that_no_double_holds_exactly_are_accepted() -> None:
    counts = {"canonical": 2**63 - 1}
    large = OpenBranch(WHO, "o", PLAN, "T", "F", clock=counts)
    small = OpenBranch(WHO, "o", PLAN, "T", "F", clock={"canonical": 2**63 - 2})
    assert large.operation.request != small.operation.request
