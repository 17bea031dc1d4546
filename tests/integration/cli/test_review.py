"""`bps review` as processes on a real service: who may do what, and what each act leaves to do."""

from __future__ import annotations

import asyncio
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.asynchronous import run
from tests.cluster.free_ports import free_ports
from tests.edited import edited
from tests.integration.cli.console import DEADLINE_S
from tests.integration.cli.test_through_the_service import BPS, bps, service, users

BASE = """title: checkout
_retries_locked: true
retries: 3
timeout_ms: 900
carts: open
"""
PEOPLE = {
    "supervisor-1": "supervisor",
    "reviewer-1": "reviewer",
    "reviewer-2": "reviewer",
    "operator-1": "operator",
    "agent-1": "agent",
}
ID, NEXT = "EP-1-RV1", "EP-1-RV2"


@dataclass(frozen=True, slots=True)
class People:
    """Who calls `bps`, each with a token of their own."""

    env: dict[str, str]
    tokens: dict[str, str]

    def ran(self, who: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            (*BPS, *arguments),
            env={**self.env, "BPS_TOKEN": self.tokens[who]},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert "Traceback" not in done.stderr, done
        return done

    def data(self, who: str, *arguments: str, stdin: str = "") -> Any:
        done = self.ran(who, *arguments, "-o", "json", stdin=stdin)
        assert done.returncode == 0, (arguments, done)
        return json.loads(done.stdout)

    def refused(self, who: str, *arguments: str, code: str, exit_code: int) -> dict[str, Any]:
        done = self.ran(who, *arguments, "-o", "json")
        assert (done.returncode, done.stdout) == (exit_code, ""), (arguments, done)
        problem: dict[str, Any] = json.loads(done.stderr)
        assert problem["code"] == code, (arguments, problem)
        return problem

    def fixed(self, number: int, content: str) -> str:
        """The RR-plan of a branch whose fix is submitted."""
        cause = ("--trace-id", f"trace-{number}", "--fingerprint", f"cause-{number}")
        rr_plan: str = self.data("supervisor-1", "branch", "open", "EP-1", *cause)["rr_plan"]
        self.data("agent-1", "branch", "submit", "EP-1", rr_plan, "-", stdin=content)
        return rr_plan


def only_the_right_people_act(people: People) -> None:
    for who in ("supervisor-1", "operator-1", "agent-1"):
        people.refused(who, "review", "claim", ID, code="FORBIDDEN", exit_code=2)
        resolve = ("review", "resolve", ID, "--path", "/retries", "--take", "base")
        people.refused(who, *resolve, code="FORBIDDEN", exit_code=2)
        people.refused(who, "review", "reject", ID, "--reason", "x", code="FORBIDDEN", exit_code=2)
    for who in ("operator-1", "agent-1"):
        people.refused(who, "review", "complete", ID, code="FORBIDDEN", exit_code=2)
    people.refused("agent-1", "review", "release", ID, code="FORBIDDEN", exit_code=2)
    (listed,) = people.data("agent-1", "review", "list", "EP-1")
    assert (listed["review"], listed["status"], listed["conflicts_total"]) == (ID, "OPEN", 1)


def shown(people: People, one: str, two: str) -> str:
    """The ETag."""
    text = people.ran("reviewer-1", "review", "show", ID)
    assert text.returncode == 0
    for line in ("/retries  ", "  base (line 3): retries: 3", "1 conflict, 1 undecided"):
        assert line in text.stdout, text.stdout
    for rr_plan, value in ((one, 7), (two, 9)):
        assert f"  {rr_plan} by agent-1 (line 3): retries: {value}" in text.stdout
    sheet = people.data("reviewer-1", "review", "show", ID)
    (conflict,) = sheet["conflicts"]
    assert (conflict["path"], conflict["base"]["value"]) == ("/retries", 3)
    assert sorted(side["variant"]["value"] for side in conflict["sides"]) == [7, 9]
    etag: str = sheet["etag"]
    return etag


def claimed_and_refused(people: People, etag: str) -> None:
    claimed = people.data("reviewer-1", "review", "claim", ID, "--minutes", "5")
    assert claimed["act"] == "claimed"
    take = ("review", "resolve", ID, "--path", "/retries", "--take", "base")
    for act in (take, ("review", "release", ID), ("review", "complete", ID)):
        problem = people.refused("reviewer-2", *act, code="REVIEW_HELD", exit_code=1)
        assert problem["facts"]["by"] == "reviewer-1"
    stale = people.refused(
        "reviewer-1", *take, "--if-match", etag, code="PRECONDITION_FAILED", exit_code=1
    )
    assert stale["facts"]["etag"] == f'"{claimed["etag"]}"'
    unknown = ("review", "resolve", ID, "--path", "/nowhere", "--take", "base")
    people.refused("reviewer-1", *unknown, code="NOT_FOUND", exit_code=1)
    for wrong, code in (
        (("review", "resolve", ID, "--take", "base"), "INVALID_INPUT"),
        (("review", "resolve", ID, "--path", "/retries"), "INVALID_INPUT"),
        (("review", "show", "EP-1"), "INVALID_ID"),
    ):
        people.refused("reviewer-1", *wrong, code=code, exit_code=2)


def resolved(people: People) -> dict[str, Any]:
    """The completion, by another reviewer than the one who began."""
    set_ = ("review", "resolve", ID, "--path", "/retries", "--set", "8", "--complete")
    tried = people.ran("reviewer-1", *set_, "-o", "json")
    assert tried.returncode == 1
    left = json.loads(tried.stdout)
    (finding,) = left["findings"]
    assert (left["open_total"], finding["source"], finding["path"]) == (
        0,
        "locked-fields",
        "/retries",
    )
    assert f"{ID} is not complete: 0 conflicts and 1 findings are left" in tried.stderr
    assert "locked-fields" in people.ran("reviewer-1", "review", "show", ID).stdout
    people.refused("reviewer-1", "review", "complete", ID, code="MERGE_CONFLICT", exit_code=1)
    released = people.data("operator-1", "review", "release", ID)
    assert released["act"] == "released"
    nobody = people.ran("reviewer-2", "review", "release", ID)
    as_of = f"are as of when {ID} was computed last; `bps review show {ID}` computes them now"
    said = f"noop: nobody has claimed {ID}\n`open` and `findings` {as_of}\n"
    assert (nobody.returncode, nobody.stderr) == (0, said)
    take = ("review", "resolve", ID, "--path", "/retries", "--take", "base", "--complete")
    done: dict[str, Any] = people.data("reviewer-2", *take)
    assert (done["how"], done["version"]) == ("promotion", "2")
    people.refused("reviewer-2", "review", "claim", ID, code="WRONG_STATE", exit_code=1)
    people.refused("reviewer-2", "review", "claim", NEXT, code="NOT_FOUND", exit_code=1)
    return done


def rejected(people: People) -> None:
    now = people.ran("agent-1", "canonical", "EP-1", "--content").stdout
    one = people.fixed(3, edited(now, ("carts: open", "carts: shut")))
    two = people.fixed(4, edited(now, ("carts: open", "carts: slow")))
    people.refused("supervisor-1", "promote", "EP-1", code="MERGE_CONFLICT", exit_code=1)
    why = ("--reason", "carts stay as they are")
    half = people.data("reviewer-1", "review", "reject", NEXT, one, *why)
    assert (half["status"], half["contributors"]) == ("OPEN", [two])
    rest = people.data("reviewer-1", "review", "reject", NEXT, *why)
    assert rest["status"] == "REJECTED"
    for rr_plan in (one, two):
        state = people.data("agent-1", "branch", "show", "EP-1", rr_plan)
        assert (state["state"], state["reason"]) == ("OBSOLETE_REJECTED", why[1])
    events = people.data("agent-1", "log", "EP-1")
    nullified = [e["data"]["rr_plan"] for e in events if e["type"].endswith(".vc_nullify")]
    assert nullified[-2:] == [one, two]


def reviewed(runs: dict[str, str], user: dict[str, str], home: Path) -> None:
    bps(runs, "init", "-o", "json")
    tokens = {
        who: json.loads(bps(runs, "token", "create", who, "--role", role, "-o", "json"))["secret"]
        for who, role in PEOPLE.items()
    }
    (port,) = free_ports(1)
    env = {**user, "BPS_URL": f"http://127.0.0.1:{port}"}
    people = People({name: text for name, text in env.items() if name != "BPS_WORKSPACE"}, tokens)
    with service(runs, port):
        people.data("supervisor-1", "plan", "register", "EP-1", "-", stdin=BASE)
        one = people.fixed(1, edited(BASE, (": 3", ": 7"), (": 900", ": 1000")))
        two = people.fixed(2, edited(BASE, (": 3", ": 9"), ("title: checkout", "title: till")))
        waits = people.refused(
            "supervisor-1", "promote", "EP-1", code="MERGE_CONFLICT", exit_code=1
        )
        assert waits["facts"]["review"] == ID
        only_the_right_people_act(people)
        claimed_and_refused(people, shown(people, one, two))
        receipt = home / "receipt.json"
        receipt.write_text(json.dumps(resolved(people)))
        content = people.ran("agent-1", "canonical", "EP-1", "--content").stdout
        assert content == edited(BASE, (": 900", ": 1000"), ("title: checkout", "title: till"))
        (held,) = people.data("supervisor-1", "verify", "--receipt", str(receipt))
        assert held["receipt"]
        rejected(people)
        (replayed,) = people.data("supervisor-1", "replay")
        assert replayed["version"] == "2"
        statuses = [each["status"] for each in people.data("agent-1", "review", "list", "EP-1")]
        assert statuses == ["COMPLETED", "REJECTED"]


@pytest.mark.timeout(300)
def test_a_conflict_is_decided_by_a_reviewer_and_another_one_is_rejected(tmp_path: Path) -> None:
    async def story() -> None:
        async with users(tmp_path) as (runs, user):
            await asyncio.to_thread(reviewed, runs, user, tmp_path)

    run(story(), deadline_s=270)
