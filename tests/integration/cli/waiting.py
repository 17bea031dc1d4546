"""On the cluster: three branches, two of them in conflict, and what a person does about it."""

from __future__ import annotations

import json
from typing import Any

from tests.edited import edited
from tests.integration.cli.console import Console

PLAN, REVIEW = "EP-43", "EP-43-RV1"
BASE = b"title: checkout\nretries: 3\ntimeout_ms: 900\ncarts: open\n"


def fixed(console: Console, number: int, content: bytes) -> str:
    """The RR-plan of a branch whose fix is submitted."""
    cause = ("--trace-id", f"w-{number}", "--fingerprint", f"waits {number}")
    opened = console.data("branch", "open", PLAN, *cause, "--op-id", f"wait-open-{number}")
    rr_plan: str = opened["rr_plan"]
    submit = ("branch", "submit", PLAN, rr_plan, "-", "--op-id", f"wait-submit-{number}")
    console.data(*submit, stdin=content)
    return rr_plan


def review(console: Console) -> None:
    """review list|show|claim|release|resolve|complete|reject; the log of it all is sound."""
    registered = ("plan", "register", PLAN, "-", "--op-id", "wait-register")
    console.data(*registered, stdin=BASE)
    one = fixed(console, 1, edited(BASE, (b": 3", b": 7"), (b": 900", b": 1000")))
    two = fixed(console, 2, edited(BASE, (b": 3", b": 9")))
    free = fixed(console, 3, edited(BASE, (b"carts: open", b"carts: shut")))
    published = console.data("promote", PLAN, "--op-id", "wait-promote")
    assert [each["rr_plan"] for each in published["contributors"]] == [free]
    assert (published["review"], sorted(published["in_review"])) == (REVIEW, sorted((one, two)))
    (listed,) = console.data("review", "list", PLAN)
    assert (listed["status"], listed["conflicts_total"]) == ("OPEN", 1)
    decide(console, console.data("review", "show", REVIEW)["etag"])
    content = console.bps("canonical", PLAN, "--content").out_bytes
    assert content == edited(
        BASE, (b": 3", b": 8"), (b": 900", b": 1000"), (b"carts: open", b"carts: shut")
    )
    reject(console, content)
    (verified,) = console.data("verify", PLAN)
    (replayed,) = console.data("replay", PLAN)
    assert (replayed["events"], replayed["version"]) == (verified["events"], "3")


def decide(console: Console, etag: str) -> None:
    """Claimed, released, claimed anew; resolved as it was seen; completed by one version."""
    claim = ("review", "claim", REVIEW, "--if-match", etag, "--hold", "--op-id", "claim-1")
    claimed = console.data(*claim)
    stale = ("review", "complete", REVIEW, "--if-match", etag)
    console.refused(*stale, code="PRECONDITION_FAILED", exit_code=1)
    released = console.data("review", "release", REVIEW, "--op-id", "release-1")
    assert (claimed["act"], released["act"]) == ("claimed", "released")
    nobody = console.bps("review", "release", REVIEW, "-o", "json")
    as_of = (
        f"are as of when {REVIEW} was computed last; `bps review show {REVIEW}` computes them now"
    )
    said = f"noop: nobody has claimed {REVIEW}\n`open` and `findings` {as_of}\n"
    assert (nobody.code, nobody.err) == (0, said)
    assert json.loads(nobody.out)["receipt"] is None
    console.refused("review", "complete", REVIEW, code="MERGE_CONFLICT", exit_code=1)
    resolve = ("review", "resolve", REVIEW, "--path", "/retries", "--set", "8")
    left = console.data(*resolve, "--op-id", "resolve-1")
    assert (left["open_total"], left["findings_total"]) == (0, 0)
    done = console.data("review", "complete", REVIEW, "--op-id", "complete-1")
    assert (done["how"], done["version"], len(done["contributors"])) == ("promotion", "3", 2)
    receipt = console.workspace / "completed.json"
    receipt.write_text(json.dumps(done))
    (held,) = console.data("verify", "--receipt", str(receipt))
    assert held["receipt"]
    console.refused("review", "complete", REVIEW, code="WRONG_STATE", exit_code=1)
    assert console.data("review", "show", REVIEW)["review"]["status"] == "COMPLETED"


def reject(console: Console, content: bytes) -> None:
    """The next review: refused for good, what was opened inside of it too."""
    one = fixed(console, 4, edited(content, (b"carts: shut", b"carts: slow")))
    two = fixed(console, 5, edited(content, (b"carts: shut", b"carts: fast")))
    waits = console.bps("promote", PLAN, "-o", "json")
    assert (waits.code, waits.problem["code"]) == (1, "MERGE_CONFLICT")
    named = ("review", "reject", "EP-43-RV2", "--reason", "carts stay", "--op-id", "reject-1")
    done: dict[str, Any] = console.data(*named)
    assert done["status"] == "REJECTED"
    assert {each["rr_plan"]: each["status"] for each in done["nullified"]} == {
        one: "OBSOLETE_REJECTED",
        two: "OBSOLETE_REJECTED",
    }
    console.refused("promote", PLAN, one, code="CLOCK_NULLIFIED", exit_code=1)


def judge(console: Console) -> None:
    """validators list|doctor|run, as the policy in force has them."""
    names = {each["name"] for each in console.data("validators", "list")}
    assert {"locked-fields", "references", "uniqueness"} <= names
    console.data("validators", "doctor")
    waits = console.workspace / "waits.yaml"
    waits.write_text("tasks:\n- {id: a, depends_on: [b]}\n")
    judged = console.data("validators", "run", str(waits), expect=1)
    assert "unknown-reference" in json.dumps(judged)
