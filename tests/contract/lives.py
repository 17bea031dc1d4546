"""The state machine: random lives of a plan over HTTP, each answer compared with the model's."""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.contract.checked_plan import (
    LAST_CAUSE,
    NUMBER_OF_CONTENTS,
    CheckedPlan,
    blueprint,
    digest,
)
from tests.contract.model import Expected

CAUSES = st.integers(0, LAST_CAUSE)
CONTENTS = st.integers(0, 2)
SEEN = st.sampled_from(("nothing", "star", "present", "present", "stale"))
SEEN_RIGHTLY = st.sampled_from(("nothing", "star", "present"))
CHANGES = st.integers(1, NUMBER_OF_CONTENTS - 1)
"""How far a repaired content is from the canonical one: always another."""
ATTEMPTS = st.sampled_from(("both", "first", "second", "policy"))
YAML = "application/yaml"


class Lives(CheckedPlan):
    """Each life is a new plan of one service.

    Most requests at random are refused, so the rules that lead to a promotion have the weight:
    `repair`, `promote_ready`, `race` and `return_to` are many requests, each of them as the others.
    """

    RULES: ClassVar[dict[str, Any]] = {
        "max_blueprint_bytes": 1_048_576,
        "max_contributors": 24,
        "max_live_descendants": 32,
        "max_linked_traces": 64,
        "validators": [],
    }

    def __init__(self) -> None:
        super().__init__()
        self.policy_moved = self.promoted = False

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
