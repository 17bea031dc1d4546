"""What is stored and printed is what the published schemas say."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from bps.api.initiatives import initiative_rows
from bps.api.issuing import issued, new_secret
from bps.api.outputs import OUTPUTS
from bps.api.setup import InitView
from bps.api.tokens import TokenView
from bps.api.views import BranchView, PlanView, PolicyView
from bps.clock import SystemClock
from bps.core import keys
from bps.core.codec import SCHEMA
from bps.core.keys import KEY_MAP, ROOT
from bps.core.ports import Store
from bps.core.txn import Put, Txn
from bps.identity.prune import Pruning
from bps.identity.read import all_credentials
from bps.identity.token_text import Token
from bps.initiatives.read import all_initiatives
from bps.keyring.public_key import PublicKey
from bps.leadership.election import Leadership
from bps.leadership.operator_mode import SetOperatorMode, operator_mode
from bps.plans.blob import pack, unpack
from bps.plans.branches import FailBranch, OpenBranch, RebaseBranch, SubmitBranch
from bps.plans.events import BODIES
from bps.plans.read import branches_of, list_plans, plan_detail, rr_plan_of
from bps.plans.register import RegisterPlan
from bps.policy.model import DEFAULT_POLICY
from bps.policy.read import policy_in_force
from bps.policy.replace import ReplacePolicy
from bps.promotion.promote import Promote
from bps.promotion.revert import Revert
from bps.replay.events import read_events
from bps.replay.replay import replay
from bps.replay.verify import verify
from bps.setup.first_use import FirstUse
from bps.sidecar.clock_watch import SidecarClock
from bps.sidecar.feed import Feed
from bps.sidecar.presence import Presence
from bps.store.memory import MemoryStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous
from tests.docs.pages import DOCS
from tests.docs.reviewing import PLAN as REVIEWED
from tests.docs.reviewing import reviewing
from tests.docs.signing import signing
from tests.doubles import ref, without_validators

PLAN = "EP-42"
WHO = "tester"
SCHEMAS = sorted((DOCS / "schemas").rglob("*.json"))


def valid(name: str, data: Any) -> None:
    schema = orjson.loads((DOCS / "schemas" / f"{name}.json").read_bytes())
    Draft202012Validator(schema).validate(data)


async def story(store: Store) -> dict[str, Any]:
    """Every command once; what each of them answers, by the name of its schema."""
    clock = SystemClock()
    async with Leadership(store, clock, "somewhere/1") as leadership:
        await leadership.campaign(1.0)
        path = WritePath(store, leadership, clock)
        do = path.execute

        async def opened(trace: str, cause: str) -> Any:
            return await do(OpenBranch(WHO, f"open-{trace}", PLAN, trace, cause))

        token = Token.generate()
        secret, key = new_secret(token), PublicKey(bytes(32))
        set_up = await do(FirstUse(WHO, "init", WHO, secret, key, "initiative"))
        await without_validators(store)
        answers: dict[str, Any] = {}
        register = RegisterPlan(WHO, "register", PLAN, "initiative", "title", pack(b"v1"))
        answers["plan-register"] = await do(register)
        answers["branch-open"] = first = await opened("t1", "c1")
        await opened("t2", "c1")
        other, third = await opened("t3", "c3"), await opened("t4", "c4")
        one, two = ref(first.result), ref(other.result)
        answers["branch-submit"] = await do(SubmitBranch(WHO, "s1", PLAN, one, pack(b"v2")))
        answers["promote"] = await do(Promote(WHO, "p1", PLAN, (one,)))
        answers["branch-rebase"] = await do(RebaseBranch(WHO, "r1", PLAN, two))
        answers["branch-fail"] = await do(FailBranch(WHO, "f1", PLAN, ref(third.result), "no"))
        answers["revert"] = await do(Revert(WHO, "v1", PLAN, 1, "again"))
        found = {name: outcome.result for name, outcome in answers.items()}
        found["init"] = InitView.of(set_up.result, token)
        found["token-list"] = [
            TokenView.of(each, 0) for each in (await all_credentials(store)).items
        ]
        found["token-revoke"] = found["token-list"][0]
        found["token-create"] = issued((await all_credentials(store)).items[0], token, 0)
        found["token-rotate"] = found["token-create"]
        found["token-prune"] = Pruning(pruned=[found["token-create"].id], more=False)
        initiatives = await all_initiatives(store)
        found["initiative-list"] = initiative_rows(initiatives)
        found["initiative-create"] = found["initiative-show"] = initiatives.items[0]
        found.update(await reviewing(path, store))
        rules = {**DEFAULT_POLICY.rules, "max_branches": 9}
        replaced = await do(ReplacePolicy(WHO, "policy", rules, None, ("*",)))
        found["policy-set"] = replaced.result
        for mode in ("READ_ONLY", "READ_WRITE"):
            braked = await do(SetOperatorMode(WHO, f"mode-{mode}", mode, "why"))
            found[f"mode-{mode.lower().replace('_', '-')}"] = braked.result
        found["mode-show"] = (await operator_mode(store)).wanted
        in_force = (await policy_in_force(store)).in_force
        found["policy-show"] = PolicyView.of(in_force.policy, in_force.etag)
        branches = await branches_of(store, PLAN)
        found["plan-show"] = PlanView.of(await plan_detail(store, PLAN))
        found["plan-list"] = [plan async for plan in list_plans(store)]
        found["branch-list"] = [BranchView.of(branch, rr_plan) for branch, rr_plan in branches]
        found["branch-show"] = (await rr_plan_of(store, PLAN, one))[1]
        found["canonical"] = (await plan_detail(store, PLAN)).canonical
        found["verify"] = [await verify(store, PLAN)]
        found["replay"] = [await replay(store, PLAN)]
        found["log"] = [
            event for plan in (PLAN, REVIEWED) async for event in read_events(store, plan, 1)
        ]
        found.update(await signing(path, store, PLAN, clock.now_ms()))
        presence = Presence(store, Feed(store, clock), clock, "somewhere/1", key)
        announcing = asyncio.create_task(presence.run())
        await presence.tried()
        told = SidecarClock(name="somewhere/1", clock_ms=clock.now_ms())
        await store.commit(Txn((), (Put(keys.clock("somewhere/1"), told.encode()),)))
        await check_stored(store)
        announcing.cancel()
        return found


def key_form(pattern: str) -> re.Pattern[str]:
    """The expression that keys of one row of the key map match."""
    form = re.sub(r"\{(n|seq)\}", "[0-9]{19}", pattern)
    return re.compile(re.sub(r"\{[a-z]\w*\}", "[^/]+", form))


async def check_stored(store: Store) -> None:
    """Every key is one of the key map, and its value what the map's schema says."""
    patterns = {row.pattern: key_form(row.pattern) for row in KEY_MAP}
    seen, reports = set(), 0
    for kv in (await store.page(ROOT, b"\0", limit=10_000)).kvs:
        name = kv.key.removeprefix(ROOT).decode()
        (pattern,) = [known for known, form in patterns.items() if form.fullmatch(name)]
        seen.add(pattern)
        if "blobs" in pattern:
            content = unpack(kv.value, name.rpartition("/")[2])
            if content.startswith(b'{"canonical_digest"'):
                valid("records/origins", orjson.loads(content))
                reports += 1
            continue
        stored = orjson.loads(kv.value)
        if "bodies" in pattern:
            kind = stored.pop("kind")
            assert stored.pop("schema") in range(1, SCHEMA + 1)
            valid(f"events/{kind}", stored)
        else:
            valid(f"records/{stored['kind']}", stored)
    assert seen == set(patterns) - {"initiatives/{i}/governance"}
    assert reports > 0


@asynchronous
async def test_what_is_stored_printed_and_published_fits_the_schemas() -> None:
    answers = await story(MemoryStore(SystemClock()))
    for name, answer in answers.items():
        several = isinstance(answer, list)
        plain = [each.model_dump(mode="json") for each in (answer if several else [answer])]
        valid(f"cli/{name}", plain if several else plain[0])
    for event in answers["log"]:
        valid("events/cloudevent", event.model_dump(mode="json"))
        valid(f"events/{event.type.rpartition('.')[2]}", event.data)
    assert {event.type.rpartition(".")[2].upper() for event in answers["log"]} == set(BODIES)
    others = {name for name in set(OUTPUTS) - set(answers) if not name.startswith("context-")}
    # tests/integration/validation holds what `bps validators` prints against its schemas.
    others = {name for name in others if not name.startswith("validators-")}
    assert others == {"diff", "events", "sync", "doctor", "explain", "merge"}


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: str(path.relative_to(DOCS)))
def test_the_schemas_are_schemas(path: Path) -> None:
    Draft202012Validator.check_schema(orjson.loads(path.read_bytes()))
