"""Each method of the client against the real application."""

from __future__ import annotations

import pytest

from bps.api.initiatives import InitiativeView
from bps.api.requests import PolicyRequest
from bps.client.plan_calls import etag_of
from bps.core.codec import sha256_hex
from bps.core.errors import (
    Exists,
    Forbidden,
    IdempotencyKeyReused,
    InvalidBlueprint,
    InvalidInput,
    MergeConflict,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)
from bps.plans.model import State
from tests.asynchronous import asynchronous
from tests.unit.client.services import served_client

PLAN = "EP-42"
FIRST, SECOND = b"title: one\n", b"title: two\n"


@asynchronous
async def test_the_life_of_a_plan_through_the_client() -> None:
    async with served_client() as (client, _):
        registered = await client.register_plan(PLAN, FIRST, title="Check out", op_id="op-1")
        again = await client.register_plan(PLAN, FIRST, title="Check out", op_id="op-1")
        assert (registered.how, again.how, again.result) == (
            "committed",
            "repeated",
            registered.result,
        )
        assert again.why
        opened = await client.open_branch(
            PLAN, trace_id="trace-1", fingerprint="too slow", summary="x", clock={"canonical": 1}
        )
        rr_plan = opened.result.rr_plan
        await client.submit_branch(PLAN, rr_plan, SECOND)
        seen = await client.canonical(PLAN)
        tried = await client.promote(PLAN, [rr_plan], dry_run=True)
        assert (tried.how, tried.why) == ("noop", "a dry run writes nothing")
        promoted = await client.promote(PLAN, reason="faster", if_match=etag_of(seen))
        assert promoted.result.version == 2
        with pytest.raises(PreconditionFailed) as stale:
            await client.revert(PLAN, 1, if_match=etag_of(seen))
        assert stale.value.facts["trace_id"]
        now = await client.canonical(PLAN, fresh=True)
        assert await client.canonical_unless(PLAN, etag_of(now)) is None
        assert await client.canonical_unless(PLAN, etag_of(seen)) == now
        assert (await client.rr_plan(PLAN, rr_plan)).state is State.PROMOTED
        assert await client.submitted(PLAN, rr_plan) == SECOND
        assert await client.blueprint(PLAN) == SECOND
        assert await client.blueprint(PLAN, 1) == FIRST
        assert await client.blueprint_named(PLAN, sha256_hex(FIRST)) == FIRST
        assert [v.version async for v in client.versions(PLAN)] == [1, 2]
        assert await client.version(PLAN, 2) == now
        assert [each.plan async for each in client.plans()] == [PLAN]
        assert [each.rr_plan async for each in client.branches(PLAN)] == [rr_plan]
        assert (await client.plan(PLAN)).canonical_version == "2"
        types = [event.type.rpartition(".")[2] async for event in client.log(PLAN)]
        assert types[0] == "plan_registered"
        assert types[-1] == "blueprint_promoted"
        assert [event.id async for event in client.log(PLAN, after=2)] == [
            str(n) for n in range(3, len(types) + 1)
        ]
        with pytest.raises(InvalidInput):
            assert not [event async for event in client.log(PLAN, after=99)]
        everything = [each.event.id async for each in client.all_log("1")]
        assert everything == [str(n) for n in range(1, len(types) + 1)]
        assert (await client.verify(PLAN, promoted.result.receipt)).receipt is True
        assert (await client.replay(PLAN)).version == 2


@asynchronous
async def test_branches_are_failed_and_rebased() -> None:
    async with served_client() as (client, _):
        await client.register_plan(PLAN, FIRST)
        one = await client.open_branch(PLAN, trace_id="t-1", fingerprint="one")
        two = await client.open_branch(PLAN, trace_id="t-2", fingerprint="two")
        three = await client.open_branch(PLAN, trace_id="t-3", fingerprint="three")
        await client.submit_branch(PLAN, one.result.branch, SECOND)
        await client.submit_branch(PLAN, two.result.branch, b"title: three\n")
        await client.promote(PLAN, [one.result.rr_plan])
        with pytest.raises(MergeConflict):
            await client.promote(PLAN, [two.result.rr_plan])
        rebased = await client.rebase_branch(PLAN, two.result.branch)
        assert (rebased.result.act, rebased.result.n) == ("rebased", 2)
        failed = await client.fail_branch(PLAN, three.result.branch, "no")
        assert failed.result.state is State.OBSOLETE_FAILED
        reverted = await client.revert(PLAN, 1, reason="back")
        assert reverted.result.how == "revert"


@asynchronous
async def test_a_refusal_is_the_error_that_the_service_raised() -> None:
    async with served_client() as (client, _):
        with pytest.raises(NotFound, match="EP-42"):
            await client.plan(PLAN)
        with pytest.raises(InvalidBlueprint) as refused:
            await client.register_plan(PLAN, b"on: yes\n")
        assert refused.value.facts["rule"]
        await client.register_plan(PLAN, FIRST, op_id="op-1")
        with pytest.raises(IdempotencyKeyReused):
            await client.register_plan(PLAN, SECOND, op_id="op-1")
        with pytest.raises(Exists):
            await client.register_plan(PLAN, SECOND)
        with pytest.raises(NotFound):
            await client.blueprint_named(PLAN, "0" * 64)
        with pytest.raises(NotFound):
            await client.rr_plan(PLAN, "EP-42-RR(br66400e4b)-1")
    async with served_client("agent") as (client, _):
        with pytest.raises(Forbidden):
            await client.promote(PLAN)
    async with served_client("nobody") as (client, _):
        with pytest.raises(Unauthenticated):
            await client.identity()


@asynchronous
async def test_what_belongs_to_no_plan() -> None:
    async with served_client("operator") as (client, _):
        assert (await client.identity()).principal == "operator-1"
        made = await client.create_initiative("checkout-2026", title="Checkout", zone="UTC")
        assert made.result.initiative == "checkout-2026"
        assert await client.initiative("checkout-2026") == made.result
        assert InitiativeView.of(made.result) in [each async for each in client.initiatives()]
        token = await client.create_token("agent-7", ["agent"], comment="x")
        assert token.result.secret is not None
        rotated = await client.rotate_token(token.result.id)
        ended = await client.revoke_token(rotated.result.id)
        assert ended.result.state == "revoked"
        assert len([each async for each in client.tokens()]) >= 2
        policy, etag = await client.policy()
        rules = policy.model_dump(exclude={"n"}) | {"max_branches": 100}
        wanted = PolicyRequest.model_validate(rules)
        replaced = await client.replace_policy(wanted, if_match=etag)
        assert replaced.result.max_branches == 100
        with pytest.raises(PreconditionFailed):
            await client.replace_policy(wanted, if_match=etag)
        assert {each.check for each in await client.doctor()} >= {"quorum", "store"}
