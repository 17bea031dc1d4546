"""A plan over HTTP: each answer, and what it wrote, are compared with what the model expects."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, NamedTuple

import httpx
from hypothesis.stateful import RuleBasedStateMachine

from bps.core import keys
from bps.core.ports import Key
from tests.contract.model import Expected, PlanModel
from tests.contract.service import InThread

LAST_CAUSE = 4
NUMBER_OF_CONTENTS = 4


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


class CheckedPlan(RuleBasedStateMachine):
    """One plan of the service `served`, acted on by requests, with what the model knows of it.

    `happened` counts what came about in the lives of all plans.
    """

    NUMBERS: ClassVar[count[int]] = count(1)
    happened: ClassVar[Counter[str]] = Counter()
    served: ClassVar[InThread]
    client: ClassVar[httpx.Client]

    def __init__(self) -> None:
        super().__init__()
        self.model = PlanModel()
        self.done: list[Sent] = []
        self.sent = 0
        self.names: dict[int, str] = {}
        self.name = f"EP-{next(self.NUMBERS)}"
        self.plan = f"/v1/plans/{self.name}"

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
