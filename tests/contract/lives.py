"""The state machine: random lives of a plan over HTTP, each answer compared with the model's."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, NamedTuple

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from bps.core import keys
from bps.core.ports import Key
from tests.contract.model import Expected, PlanModel
from tests.contract.service import InThread

LAST_CAUSE = 4
CAUSES = st.integers(0, LAST_CAUSE)
CONTENTS = st.integers(0, 2)
SEEN = st.sampled_from(("nothing", "star", "present", "present", "stale"))
SEEN_RIGHTLY = st.sampled_from(("nothing", "star", "present"))
NUMBER_OF_CONTENTS = 4
CHANGES = st.integers(1, NUMBER_OF_CONTENTS - 1)
"""How far a repaired content is from the canonical one: always another."""
ATTEMPTS = st.sampled_from(("both", "first", "second", "policy"))
YAML = "application/yaml"


def blueprint(content: int) -> bytes:
    return f"title: v{content}\n".encode()


def digest(content: int) -> str:
    return hashlib.sha256(blueprint(content)).hexdigest()


class Written(NamedTuple):
    """How many keys a plan has, reviews among them, how many operations, and the policy's age."""

    plan: int
    reviews: int
    operations: int
    policy: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was answered with a success."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes
    answer: httpx.Response


class Lives(RuleBasedStateMachine):
    """Each life is a new plan of one service; `happened` counts what came about in all of them.

    Most requests at random are refused, so the rules that lead to a promotion have the weight:
    `repair`, `promote_ready`, `race` and `return_to` are many requests, each of them as the others.
    """

    NUMBERS: ClassVar[count[int]] = count(1)
    happened: ClassVar[Counter[str]] = Counter()
    served: ClassVar[InThread]
    client: ClassVar[httpx.Client]
    RULES: ClassVar[dict[str, Any]] = {
        "max_blueprint_bytes": 1_048_576,
        "max_contributors": 24,
        "max_live_descendants": 32,
        "max_linked_traces": 64,
        "validators": [],
    }

    def __init__(self) -> None:
        super().__init__()
        self.model = PlanModel()
        self.done: list[Sent] = []
        self.sent = 0
        self.names: dict[int, str] = {}
        self.policy_moved = self.promoted = False
        self.name = f"EP-{next(self.NUMBERS)}"
        self.plan = f"/v1/plans/{self.name}"

    @initialize(
        content=CONTENTS,
        causes=st.integers(-1, 4),
        changes=st.tuples(CHANGES, CHANGES),
        attempts=st.lists(ATTEMPTS, max_size=4),
    )
    def begin(
        self, content: int, causes: int, changes: tuple[int, int], attempts: list[str]
    ) -> None:
        """The policy is of all plans, and so it is what the last life left."""
        self._replace_policy(5, {"If-Match": "*"}, Expected(200))
        if causes >= 0:
            self.register(content)
        for cause in range(causes):
            self.open(cause, "a")
        if causes >= 0:
            self.race(0, 2, changes, ["both", *attempts])

    def teardown(self) -> None:
        self.happened["life with a promotion"] += self.promoted
        if self.model.versions:
            self._prove()

    @rule(content=CONTENTS)
    def register(self, content: int) -> None:
        self._act("PUT", self.plan, self.model.register(content), blueprint(content), YAML)

    @rule(cause=CAUSES, trace=st.sampled_from("ab"))
    def open(self, cause: int, trace: str) -> None:
        body = {"trace_id": f"trace-{cause}-{trace}", "fingerprint": f"cause-{cause}"}
        self._act("POST", f"{self.plan}/branches", self.model.open(cause), body)

    @precondition(lambda self: self.model.branches)
    @rule(cause=CAUSES, content=CONTENTS)
    def submit(self, cause: int, content: int) -> None:
        cause = self._known(cause)
        path = self._branch(cause, "submission")
        self._act("POST", path, self.model.submit(cause, content), blueprint(content), YAML)

    @precondition(lambda self: self.model.branches)
    @rule(cause=CAUSES)
    def fail(self, cause: int) -> None:
        cause = self._known(cause)
        self._act("POST", self._branch(cause, "failure"), self.model.fail(cause), {"reason": "x"})

    @precondition(lambda self: self.model.branches)
    @rule(cause=CAUSES)
    def rebase(self, cause: int) -> None:
        cause = self._known(cause)
        self._act("POST", self._branch(cause, "rebase"), self.model.rebase(cause), {})

    @rule(seen=SEEN)
    def promote_all(self, seen: str) -> None:
        self.promote([], seen)

    @precondition(lambda self: self.model.branches)
    @rule(causes=st.lists(CAUSES, min_size=1, max_size=3), seen=SEEN)
    def promote(self, causes: list[int], seen: str) -> None:
        headers = self._if_match(seen)
        causes = [self._known(cause) for cause in causes]
        body = {"branches": [self._name(cause) for cause in causes], "reason": "promoted"}
        expected = self.model.promote(causes, seen=seen != "stale")
        self._act("POST", f"{self.plan}/promotions", expected, body, headers=headers)
        if expected.status == 201:
            self.happened["policy replaced between promotions"] += self.policy_moved
            self.promoted, self.policy_moved = True, False

    @precondition(lambda self: self.model.versions)
    @rule(cause=CAUSES, change=CHANGES)
    def repair(self, cause: int, change: int) -> None:
        """A root cause is reported, and its RR-plan ends with another content than canonical."""
        self.open(cause, "a")
        if cause in self.model.branches:
            self.submit(cause, self._changed(change))

    @precondition(lambda self: self.model.ready())
    @rule(seen=SEEN_RIGHTLY, which=st.integers(0, LAST_CAUSE), rebased=st.booleans())
    def promote_ready(self, seen: str, which: int, rebased: bool) -> None:
        """One of those that succeeded; `rebased` where it is based on what was canonical before."""
        ready = self.model.ready()
        cause = ready[which % len(ready)]
        if rebased and not self.model.current(cause):
            content = self.model.branches[cause].content
            self.rebase(cause)
            self.submit(cause, content or 0)
        self.promote([cause], seen)

    @precondition(lambda self: self.model.versions)
    @rule(
        first=st.integers(0, 1),
        second=st.integers(2, 3),
        changes=st.tuples(CHANGES, CHANGES),
        attempts=st.lists(ATTEMPTS, min_size=2, max_size=5),
    )
    def race(self, first: int, second: int, changes: tuple[int, int], attempts: list[str]) -> None:
        """Two branches are repaired side by side, and promoted together or after one another."""
        contents = [self._changed(change) for change in changes]
        for cause, content in zip((first, second), contents, strict=True):
            self.open(cause, "a")
            if cause not in self.model.branches:
                return
            if not self.model.current(cause):
                self.rebase(cause)
            self.submit(cause, content)
        chosen = {"both": [first, second], "first": [first], "second": [second]}
        for attempt in attempts:
            if attempt == "policy":
                self.replace_policy(4, "present")
            else:
                self.promote(chosen[attempt], "present")

    @precondition(lambda self: len(set(self.model.versions)) > 1)
    @rule(which=st.integers(0, 1_000), seen=SEEN_RIGHTLY)
    def return_to(self, which: int, seen: str) -> None:
        """Revert to a version with another content than the canonical one."""
        others = [
            number
            for number, content in enumerate(self.model.versions, 1)
            if content != self.model.canonical
        ]
        self.revert_to(others[which % len(others)], seen)

    @rule(to=st.integers(1, 4), seen=SEEN)
    def revert(self, to: int, seen: str) -> None:
        self.revert_to(to % (len(self.model.versions) + 2) or 1, seen)

    def revert_to(self, to: int, seen: str) -> None:
        headers = self._if_match(seen)
        expected = self.model.revert(to, seen=seen != "stale")
        self._act("POST", f"{self.plan}/reverts", expected, {"to": str(to)}, headers=headers)

    @rule(max_branches=st.integers(1, 5), seen=st.sampled_from(("star", "present", "stale", "")))
    def replace_policy(self, max_branches: int, seen: str) -> None:
        etag = self._get("/v1/policy").headers["etag"]
        tags = {"star": "*", "present": etag, "stale": '"9-9"'}
        headers = {"If-Match": tags[seen]} if seen else {}
        expected = {
            "": Expected(428, frozenset({"PRECONDITION_REQUIRED"})),
            "stale": Expected(412, frozenset({"PRECONDITION_FAILED"})),
        }.get(seen, Expected(200))
        self._replace_policy(max_branches, headers, expected)
        self.policy_moved |= self.promoted and expected.status == 200

    def _replace_policy(
        self, max_branches: int, headers: dict[str, str], expected: Expected
    ) -> None:
        body = {**self.RULES, "max_branches": max_branches}
        self._act("PUT", "/v1/policy", expected, body, headers=headers)
        if expected.status == 200:
            self.model.max_branches = max_branches

    @precondition(lambda self: self.done)
    @rule(which=st.integers(0, 1_000))
    def repeat(self, which: int) -> None:
        """Whatever happened since, the first answer comes again and nothing is written."""
        sent = self.done[which % len(self.done)]
        before = self._written()
        again = self._send(sent.method, sent.path, sent.headers, sent.content)
        assert (again.status_code, again.content) == (
            sent.answer.status_code,
            sent.answer.content,
        ), again.text
        assert again.headers["bps-outcome"] == "repeated"
        assert self._written() == before
        self.happened["repeated key"] += 1

    @precondition(lambda self: self.done)
    @rule(which=st.integers(0, 1_000))
    def use_a_spent_key(self, which: int) -> None:
        sent = self.done[which % len(self.done)]
        before = self._written()
        headers = {**sent.headers, "Content-Type": "application/json"}
        other = self._send(
            "POST", f"{self.plan}/reverts", headers, b'{"to": "1", "reason": "other"}'
        )
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert self._written() == before
        self.happened["repeated key with another body"] += 1

    @invariant()
    def canonical_is_that_of_the_model(self) -> None:
        answer = self._get(f"{self.plan}/canonical")
        if not self.model.versions:
            assert answer.status_code == 404
            return
        version, found = len(self.model.versions), digest(self.model.canonical)
        assert (answer.json()["version"], answer.json()["digest"]) == (str(version), found)
        assert answer.headers["etag"] == f'"{version}-{found}"'

    def _prove(self) -> None:
        """The stored history is the model's, and the log alone gives the stored state."""
        versions = self._get(f"{self.plan}/versions").json()["items"]
        assert [each["digest"] for each in versions] == [*map(digest, self.model.versions)]
        branches = self._get(f"{self.plan}/branches").json()["items"]
        found = {each["fingerprint"]: (each["n"], each["state"]) for each in branches}
        assert found == {
            f"cause-{cause}": (str(each.n), each.status)
            for cause, each in self.model.branches.items()
        }
        for proof in ("verification", "replay"):
            answer = self._get(f"{self.plan}/{proof}")
            assert answer.status_code == 200, answer.text
        assert answer.json()["version"] == str(len(self.model.versions))

    def _act(
        self,
        method: str,
        path: str,
        expected: Expected,
        body: dict[str, Any] | bytes,
        media: str = "application/json",
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        """A new request; refused or done as expected, and written only where it was done."""
        self.sent += 1
        content = body if isinstance(body, bytes) else httpx.Request("POST", "/", json=body).read()
        named = {
            "Idempotency-Key": f"{self.name}-{self.sent}",
            "Content-Type": media,
            **(headers or {}),
        }
        before = self._written()
        answer = self._send(method, path, named, content)
        assert answer.status_code == expected.status, answer.text
        what = "registration" if path == self.plan else path.rpartition("/")[2]
        if expected.status < 400:
            self.done.append(Sent(method, path, named, content, answer))
            self.happened[f"{what} {answer.status_code}"] += 1
            return
        assert answer.json()["code"] in expected.codes, answer.text
        if self._written() != before:
            # A conflict may open the plan's review; no other refusal writes anything.
            assert answer.json()["code"] == "MERGE_CONFLICT"
            self._opened_a_review(named["Idempotency-Key"], before, answer)
            self.happened["review opened"] += 1
        self.happened[f"{what} {answer.json()['code']}"] += 1

    def _opened_a_review(self, op_id: str, before: Written, answer: httpx.Response) -> None:
        """That is all it wrote: one event, the review, and the operation's record."""
        now = self._written()
        newest = self._get(f"{self.plan}/reviews").json()["items"][-1]
        assert (newest["review"], newest["status"]) == (answer.json()["facts"]["review"], "OPEN")
        assert newest["conflicts_total"] == answer.json()["facts"]["conflicts"] > 0
        after = {"after": int(newest["seq"]) - 1}
        (event,) = self.client.get(f"{self.plan}/events", params=after).json()["events"]
        assert event["type"] == "io.haios.bps.review_opened"
        assert event["bpsoperation"] == f"everyone/{op_id}"
        opened = now.reviews - before.reviews
        assert opened in {0, 1}
        # The event and its body; the review has a key, and the first of a plan the newest's too.
        keys_more = 2 + opened + (opened and not before.reviews)
        assert now == Written(
            before.plan + keys_more, now.reviews, before.operations + 1, before.policy
        )

    def _send(
        self, method: str, path: str, headers: dict[str, str], content: bytes
    ) -> httpx.Response:
        return self.client.request(method, path, headers=headers, content=content)

    def _get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def _written(self) -> Written:
        store = self.served.service.store

        async def counted() -> Written:
            plan = keys.PlanKeys(self.name)
            policy = (await store.snapshot([Key(keys.POLICY_CURRENT)])).answers[0][0]
            return Written(
                await store.count(keys.ROOT + f"plan-data/{self.name}/".encode()),
                await store.count(plan.reviews),
                await store.count(keys.ROOT + b"ops/everyone/"),
                policy.mod_revision,
            )

        return self.served.run(counted())

    def _changed(self, change: int) -> int:
        """Another content than the canonical one."""
        return (self.model.canonical + change) % NUMBER_OF_CONTENTS

    def _if_match(self, seen: str) -> dict[str, str]:
        if seen == "nothing":
            return {}
        if seen == "star" or not self.model.versions:
            return {"If-Match": "*"}
        version = len(self.model.versions)
        present = f'"{version}-{digest(self.model.canonical)}"'
        stale = f'"{version - 1}-{digest(self.model.canonical)}", "9-9"'
        return {"If-Match": present if seen == "present" else stale}

    def _known(self, cause: int) -> int:
        """A cause that has a branch, but for the last one, which may have none."""
        known = sorted(self.model.branches)
        return cause if cause == LAST_CAUSE else known[cause % len(known)]

    def _branch(self, cause: int, act: str) -> str:
        return f"{self.plan}/branches/{self._name(cause)}/{act}"

    def _name(self, cause: int) -> str:
        """The id of a cause's branch; of one that is not there where it has none."""
        if cause not in self.model.branches:
            return "br" + "f" * 40
        if cause not in self.names:
            branches = self._get(f"{self.plan}/branches").json()["items"]
            fingerprint = f"cause-{cause}"
            self.names[cause] = next(
                each["branch"] for each in branches if each["fingerprint"] == fingerprint
            )
        return self.names[cause]
