"""`bps review` through a real service: who may do what, and what each act leaves to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.free_ports import free_ports
from tests.edited import edited
from tests.integration.cli.console import Console, environment
from tests.integration.cli.test_through_the_service import service
from tests.unit.cli.invoke import Ran, invoke

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

    env: dict[str, str | None]
    tokens: dict[str, str]

    def ran(self, who: str, *arguments: str, stdin: str = "") -> Ran:
        env = {**self.env, "BPS_TOKEN": self.tokens[who]}
        done = invoke(*arguments, env=env, stdin=stdin.encode())
        assert "Traceback" not in done.err, done
        return done

    def data(self, who: str, *arguments: str, stdin: str = "") -> Any:
        done = self.ran(who, *arguments, "-o", "json", stdin=stdin)
        assert done.code == 0, (arguments, done)
        return json.loads(done.out)

    def refused(self, who: str, *arguments: str, code: str, exit_code: int) -> dict[str, Any]:
        done = self.ran(who, *arguments, "-o", "json")
        assert (done.code, done.out) == (exit_code, ""), (arguments, done)
        problem: dict[str, Any] = json.loads(done.err)
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
    assert text.code == 0
    for line in ("/retries  ", "  base (line 3): retries: 3", "1 conflict, 1 undecided"):
        assert line in text.out, text.out
    for rr_plan, value in ((one, 7), (two, 9)):
        assert f"  {rr_plan} by agent-1 (line 3): retries: {value}" in text.out
    sheet = people.data("reviewer-1", "review", "show", ID)
    (conflict,) = sheet["conflicts"]
    assert (conflict["path"], conflict["base"]["value"]) == ("/retries", 3)
    assert sorted(side["value"] for side in conflict["sides"]) == [7, 9]
    assert conflict["kind"] == sheet["review"]["conflicts"][0]["kind"] == "both_modified"
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
    assert tried.code == 1
    left = json.loads(tried.out)
    (finding,) = left["findings"]
    assert (left["open_total"], finding["source"], finding["path"]) == (
        0,
        "locked-fields",
        "/retries",
    )
    assert f"{ID} is not complete; left are 0 conflicts and 1 finding\n" in tried.err
    assert "locked-fields" in people.ran("reviewer-1", "review", "show", ID).out
    people.refused("reviewer-1", "review", "complete", ID, code="MERGE_CONFLICT", exit_code=1)
    released = people.data("operator-1", "review", "release", ID)
    assert released["act"] == "released"
    nobody = people.ran("reviewer-2", "review", "release", ID)
    as_of = f"are as of when {ID} was computed last; `bps review show {ID}` computes them now"
    said = f"noop: nobody has claimed {ID}\n`open` and `findings` {as_of}\n"
    assert (nobody.code, nobody.err) == (0, said)
    take = ("review", "resolve", ID, "--path", "/retries", "--take", "base", "--complete")
    done: dict[str, Any] = people.data("reviewer-2", *take)
    assert (done["how"], done["version"]) == ("promotion", "2")
    people.refused("reviewer-2", "review", "claim", ID, code="WRONG_STATE", exit_code=1)
    people.refused("reviewer-2", "review", "claim", NEXT, code="NOT_FOUND", exit_code=1)
    return done


def rejected(people: People) -> None:
    now = people.ran("agent-1", "canonical", "EP-1", "--content").out
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


def test_a_conflict_is_decided_by_a_reviewer_and_another_one_is_rejected(
    console: Console, tmp_path: Path
) -> None:
    assert console.bps("init").code == 0
    tokens = {
        who: json.loads(console.bps("token", "create", who, "--role", role, "-o", "json").out)
        for who, role in PEOPLE.items()
    }
    (port,) = free_ports(1)
    home = {"HOME": str(tmp_path), "BPS_CONFIG": str(tmp_path / "config.toml")}
    runs = {**environment(console.cluster.endpoints), **home}
    without_etcd = dict.fromkeys(name for name in runs if name.startswith("BPS_"))
    env = {**without_etcd, **home, "BPS_URL": f"http://127.0.0.1:{port}"}
    people = People(env, {who: told["secret"] for who, told in tokens.items()})
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
        receipt = tmp_path / "receipt.json"
        receipt.write_text(json.dumps(resolved(people)))
        content = people.ran("agent-1", "canonical", "EP-1", "--content").out
        assert content == edited(BASE, (": 900", ": 1000"), ("title: checkout", "title: till"))
        (held,) = people.data("supervisor-1", "verify", "--receipt", str(receipt))
        assert held["receipt"]
        rejected(people)
        (replayed,) = people.data("supervisor-1", "replay")
        assert replayed["version"] == "2"
        ended = people.data("agent-1", "review", "list", "EP-1")
        assert [(each["status"], each["conflicts_total"]) for each in ended] == [
            ("COMPLETED", 0),
            ("REJECTED", 1),
        ]
        for each in ended:
            sheet = people.data("agent-1", "review", "show", each["review"])
            assert (sheet["review"], sheet["undecided"]) == (each, 0)
        assert [len(each["resolutions"]) for each in ended] == [1, 0]
