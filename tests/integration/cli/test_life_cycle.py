"""Every command on a real cluster: one plan's life, and what each command prints on the way."""

from __future__ import annotations

import json
import signal
from hashlib import sha256

import pytest

from bps.api.outputs import OUTPUTS
from bps.identity.token_text import Token
from tests.checkout import SAMPLES
from tests.integration.cli.console import SHOWN, Console, lines_until
from tests.integration.cli.waiting import judge, review

SAMPLE = SAMPLES / "checkout-service.yaml"
BASE = SAMPLE.read_bytes()
FIRST_FIX = BASE.replace(b"attempt_timeout_ms: 9000", b"attempt_timeout_ms: 2500")
SECOND_FIX = BASE.replace(b"idempotency_window_h: 24", b"idempotency_window_h: 48")
BOTH = FIRST_FIX.replace(b"idempotency_window_h: 24", b"idempotency_window_h: 48")
PLAN = "EP-42"

pytestmark = pytest.mark.cluster


def test_the_life_of_a_plan(console: Console) -> None:
    set_up(console)
    first, second = open_branches(console)
    submit(console, first, second)
    promote(console, first, second)
    revision_2 = rebase(console, second)
    give_up(console)
    follow(console, revision_2)
    revert(console)
    read_versions(console, second)
    prove(console)
    operate(console)
    review(console)
    judge(console)
    # The others show a secret once, need files of keys, or a service; they have tests of their own.
    assert {name.partition("-")[0] for name in set(OUTPUTS) - SHOWN} <= {
        "checkpoint",
        "context",
        "events",
        "init",
        "keys",
        "merge",
        "mode",
        "policy",
        "token",
    }


def credentials(console: Console, operator: str) -> None:
    """token create|list|rotate|revoke."""
    wanted = ("token", "create", "agent-7", "--role", "agent", "--expires-in", "90d")
    made = console.bps(*wanted, "--op-id", "t-1", "-o", "json")
    token = json.loads(made.out)
    assert Token.parse(token["secret"])
    # Asked for again, the secret is not there any more.
    assert console.data(*wanted, "--op-id", "t-1") == {
        **token,
        "secret": None,
        "why": "a secret is shown once, and this operation was done before",
    }
    rotate = ("token", "rotate", token["id"], "--grace", "1h", "--op-id", "t-2")
    new = json.loads(console.bps(*rotate, "-o", "json").out)
    assert (new["rotated_from"], new["principal"]) == (token["id"], "agent-7")
    assert console.data("token", "revoke", token["id"], "--op-id", "t-3")["state"] == "revoked"
    states = {each["id"]: each["state"] for each in console.data("token", "list")}
    assert states == {operator: "valid", token["id"]: "revoked", new["id"]: "valid"}
    console.refused("token", "revoke", operator, code="WRONG_STATE", exit_code=1)


def set_up(console: Console) -> None:
    """init, plan register|list|show."""
    assert console.data("plan", "list") == []
    made = console.bps("init", "-o", "json")
    assert (made.code, made.err) == (0, "")
    first = json.loads(made.out)
    assert Token.parse(first["secret"])
    again = console.bps("init", "-o", "json")
    why = "an operator has a valid credential already"
    nothing = {"signing_key": None, "credential": None, "secret": None, "why": why}
    assert json.loads(again.out) == {**first, **nothing}
    assert again.err == "noop: the store is initialised already\n"
    console.data("init")
    credentials(console, first["credential"])

    for absent in (("plan", "show", PLAN), ("promote", PLAN), ("branch", "list", PLAN)):
        console.refused(*absent, code="NOT_FOUND", exit_code=1)
    named = ("--title", "Checkout: naïve → ☂", "--initiative", "storefront-2")
    register = ("plan", "register", PLAN, str(SAMPLE), *named)
    console.refused(*register, code="NOT_FOUND", exit_code=1)
    made_initiative = console.data("initiative", "create", "storefront-2", "--op-id", "i-1")
    assert console.data("initiative", "show", "storefront-2") == made_initiative
    assert [each["initiative"] for each in console.data("initiative", "list")] == [
        "default",
        "storefront-2",
    ]
    made_plan = console.data(*register, "--op-id", "register-1")
    assert (made_plan["plan"], made_plan["version"]) == (PLAN, "1")
    assert made_plan["digest"] == sha256(BASE).hexdigest()

    before = console.contents()
    same = console.bps(*register, "-o", "json")
    assert (same.code, same.err) == (0, f"noop: {PLAN} is registered already\n")
    assert json.loads(same.out) == {**made_plan, "receipt": None}
    # Only what became of the operation is kept, for whoever repeats it.
    written = console.contents().items() - before.items()
    assert not [name for name, _ in written if "/ops/" not in name]
    other = ("plan", "register", PLAN, str(SAMPLE), "--title", "other")
    console.refused(*other, code="EXISTS", exit_code=1)

    (listed,) = console.data("plan", "list")
    assert (listed["plan"], listed["title"]) == (PLAN, "Checkout: naïve → ☂")
    shown = console.data("plan", "show", PLAN)
    assert (shown["status"], shown["canonical_version"], shown["events"]) == ("SEALED", "1", "1")
    assert shown["canonical_etag"] == f"1-{made_plan['digest']}"
    assert (console.workspace / PLAN / "canonical_blueprint.yaml").read_bytes() == BASE


def open_branches(console: Console) -> tuple[str, str]:
    """branch open, by a fingerprint and by what it is derived from; joined by another trace."""
    assert console.data("branch", "list", PLAN) == []
    opened = ("branch", "open", PLAN)
    first = console.data(
        *opened, "--trace-id", "trace-1", "--fingerprint", "timeout", "--op-id", "open-1"
    )
    cause = ("--component", "Checkout", "--failure-class", "Window", "--location", "limits")
    second = console.data(
        *opened, "--trace-id", "trace-2", *cause, "--summary", "too short", "--op-id", "open-2"
    )
    clock = console.workspace / "clock.json"
    clock.write_text('{"canonical": "1"}')
    joined = console.data(
        *opened, "--trace-id", "trace-3", *cause, "--clock-file", str(clock), "--op-id", "open-3"
    )
    assert [each["act"] for each in (first, second, joined)] == ["opened", "opened", "joined"]
    assert joined["rr_plan"] == second["rr_plan"] != first["rr_plan"]
    known = console.bps(*opened, "--trace-id", "trace-1", "--fingerprint", "timeout", "-o", "json")
    assert json.loads(known.out)["act"] == "unchanged"

    rows = {row["rr_plan"]: row for row in console.data("branch", "list", PLAN)}
    assert set(rows) == {first["rr_plan"], second["rr_plan"]}
    assert rows[second["rr_plan"]]["linked_traces"] == "1"
    shown = console.data("branch", "show", PLAN, second["rr_plan"])
    assert (shown["state"], shown["summary"]) == ("OPEN", "too short")
    short = console.data("branch", "show", PLAN, f"br{second['branch'][:8]}")
    assert short == console.data("branch", "show", PLAN, second["branch"]) == shown
    console.refused("branch", "show", PLAN, "f" * 40, code="NOT_FOUND", exit_code=1)
    return first["rr_plan"], second["rr_plan"]


def submit(console: Console, first: str, second: str) -> None:
    """branch submit: a named file, standard input, and the workspace's fork; diff of a fork."""
    same = console.data("diff", PLAN, "--branch", first)
    assert (same["identical"], same["changes"]) == (True, [])
    console.refused("promote", PLAN, first, code="WRONG_STATE", exit_code=1)
    done = console.data(
        *("branch", "submit", PLAN, first, "-", "--op-id", "submit-1"), stdin=FIRST_FIX
    )
    assert (done["act"], done["state"]) == ("submitted", "SUCCEEDED")
    fork = console.workspace / PLAN / second / "blueprint_v1.yaml"
    assert fork.read_bytes() == BASE
    fork.write_bytes(SECOND_FIX)
    done = console.data("branch", "submit", PLAN, second, "--op-id", "submit-2")
    assert done["digest"] == sha256(SECOND_FIX).hexdigest()
    other = console.workspace / "other.yaml"
    other.write_bytes(BOTH)
    console.refused("branch", "submit", PLAN, first, str(other), code="WRONG_STATE", exit_code=1)

    changed = console.data("diff", PLAN, "--branch", first)
    assert not changed["identical"]
    (change,) = changed["changes"]
    assert (change["kind"], change["before"], change["after"]) == ("changed", 9000, 2500)
    assert change["path"].endswith("/attempt_timeout_ms")
    table = console.bps("diff", PLAN, "--branch", first)
    assert (change["path"] in table.out, first in table.err) == (True, True)


def promote(console: Console, first: str, second: str) -> None:
    """promote, dry and wet; the second would be merged into what has moved."""
    both = console.data("promote", PLAN, "--dry-run")
    assert sorted(each["rr_plan"] for each in both["contributors"]) == sorted((first, second))
    assert (both["how"], both["version"]) == ("promotion", "2")
    revision = console.revision()
    dry = console.data("promote", PLAN, first, "--dry-run")
    assert (dry["version"], dry["receipt"]) == ("2", None)
    assert console.revision() == revision
    wet = console.data("promote", PLAN, first, "--reason", "the incident", "--op-id", "promote-1")
    assert wet == {**dry, "receipt": wet["receipt"]}
    assert (wet["receipt"]["plan"], wet["receipt"]["seq"]) == (PLAN, "7")
    (console.workspace / "promoted.json").write_text(json.dumps(wet))

    before = console.contents()
    reused = console.bps("promote", PLAN, second, "--op-id", "promote-1", "-o", "json")
    assert (reused.code, reused.problem["code"]) == (2, "IDEMPOTENCY_KEY_REUSED")
    dry_reused = console.bps("promote", PLAN, "--dry-run", "--op-id", "promote-1", "-o", "json")
    assert (dry_reused.code, dry_reused.problem["code"]) == (2, "IDEMPOTENCY_KEY_REUSED")
    repeated = ("promote", PLAN, first, "--reason", "the incident", "--op-id", "promote-1")
    assert json.loads(console.bps(*repeated, "-o", "json").out) == wet
    assert console.contents() == before

    merged = console.data("promote", PLAN, second, "--dry-run")
    assert (merged["how"], merged["version"]) == ("promotion", "3")
    assert [each["state"] for each in merged["contributors"]] == ["OBSOLETE_MERGED"]
    assert console.data("branch", "show", PLAN, second)["state"] == "SUCCEEDED"
    again = console.bps("promote", PLAN, first, "-o", "json")
    assert (again.code, again.problem["code"]) == (1, "WRONG_STATE")


def rebase(console: Console, second: str) -> str:
    """branch rebase; its first revision is superseded, the second is promoted."""
    done = console.data("branch", "rebase", PLAN, second, "--op-id", "rebase-1")
    assert [each["status"] for each in done["nullified"]] == ["OBSOLETE_SUPERSEDED"]
    revision_2: str = done["rr_plan"]
    assert revision_2 == second.removesuffix("1") + "2"
    superseded = console.data("branch", "show", PLAN, second)
    assert superseded["state"] == "OBSOLETE_SUPERSEDED"
    fork = console.workspace / PLAN / revision_2 / "blueprint_v2.yaml"
    assert fork.read_bytes() == FIRST_FIX
    fork.write_bytes(BOTH)
    console.data("branch", "submit", PLAN, revision_2, "--op-id", "submit-3")
    nullified = console.bps("branch", "submit", PLAN, second, str(SAMPLE), "-o", "json")
    assert (nullified.code, nullified.problem["code"]) == (1, "CLOCK_NULLIFIED")
    return revision_2


def give_up(console: Console) -> None:
    """branch fail, with a regression inside of it."""
    opened = ("branch", "open", PLAN, "--trace-id")
    parent = console.data(*opened, "t-4", "--fingerprint", "flaky", "--op-id", "open-4")["rr_plan"]
    inside = ("--fingerprint", "flakier", "--parent", parent)
    child = console.data(*opened, "t-5", *inside, "--op-id", "open-5")["rr_plan"]
    done = console.data(
        *("branch", "fail", PLAN, parent, "--reason", "cannot reproduce", "--op-id", "fail-1")
    )
    assert {each["rr_plan"]: each["status"] for each in done["nullified"]} == {
        parent: "OBSOLETE_FAILED",
        child: "OBSOLETE_NULLIFIED",
    }


def follow(console: Console, revision_2: str) -> None:
    """log --follow: what is there, then each new event once, until it is killed."""
    count = int(console.data("plan", "show", PLAN)["events"])
    process = console.start("log", PLAN, "--follow", "--from", str(count), "-o", "json")
    try:
        assert json.loads(lines_until(process, 1)[0])["id"] == str(count)
        console.data("promote", PLAN, revision_2, "--op-id", "promote-2")
        new = json.loads(lines_until(process, 1)[0])
        assert (new["id"], new["type"]) == (str(count + 1), "io.haios.bps.blueprint_promoted")
        assert new == console.data("log", PLAN)[-1]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (out, err, process.returncode) == ("", "", 130)
    finally:
        process.kill()
        process.communicate()


def revert(console: Console) -> None:
    """revert: a new version with the old content."""
    done = console.data("revert", PLAN, "--to", "1", "--reason", "rollback", "--op-id", "revert-1")
    assert (done["how"], done["version"]) == ("revert", "4")
    assert done["digest"] == sha256(BASE).hexdigest()
    same = console.bps("revert", PLAN, "--to", "1", "-o", "json")
    assert json.loads(same.out)["how"] == "unchanged"
    assert same.err.startswith("noop: ")
    console.refused("revert", PLAN, "--to", "9", code="NOT_FOUND", exit_code=1)


def read_versions(console: Console, second: str) -> None:
    """canonical, origins, diff of versions, log."""
    for number, content in enumerate((BASE, FIRST_FIX, BOTH, BASE), start=1):
        version = console.data("canonical", PLAN, "--version", str(number))
        assert version["digest"] == sha256(content).hexdigest()
        read = console.bps("canonical", PLAN, "--version", str(number), "--content")
        assert (read.out_bytes, read.err) == (content, "")
    assert console.data("canonical", PLAN) == version
    assert version["reason"] == "rollback"
    console.refused("canonical", PLAN, "--version", "5", code="NOT_FOUND", exit_code=1)
    versions = [console.data("origins", PLAN, str(number))["how"] for number in range(1, 5)]
    assert versions == ["registration", "taken_over", "taken_over", "revert"]
    assert console.data("origins", PLAN)["how"] == "revert"
    console.refused("origins", PLAN, "5", code="NOT_FOUND", exit_code=1)

    assert len(console.data("diff", PLAN, "1", "3")["changes"]) == 2
    assert console.data("diff", PLAN, "1", "4")["identical"]
    against_fork = console.data("diff", PLAN, "2", "--branch", second)
    assert len(against_fork["changes"]) == 2
    console.refused("diff", PLAN, "1", "9", code="NOT_FOUND", exit_code=1)

    events = console.data("log", PLAN)
    assert [event["id"] for event in events] == [str(n) for n in range(1, len(events) + 1)]
    assert console.data("log", PLAN, "--from", "5") == events[4:]
    assert console.data("log", PLAN, "--from", str(len(events) + 1)) == []
    assert events[0]["data"]["title"] == "Checkout: naïve → ☂"
    console.refused("log", "EP-7", code="NOT_FOUND", exit_code=1)


def prove(console: Console) -> None:
    """verify, with receipts true and forged, and replay."""
    (verified,) = console.data("verify")
    assert [verified] == console.data("verify", PLAN)
    receipt = console.workspace / "promoted.json"
    (held,) = console.data("verify", "--receipt", str(receipt))
    assert held["receipt"]
    bare = json.loads(receipt.read_text())["receipt"]
    receipt.write_text(json.dumps(bare))
    assert console.data("verify", PLAN, "--receipt", str(receipt)) == [held]
    for forged in ({"hash": "f" * 64}, {"seq": "6"}, {"seq": "999"}):
        receipt.write_text(json.dumps({**bare, **forged}))
        named = ("verify", "--receipt", str(receipt))
        problem = console.refused(*named, code="RECEIPT_REFUTED", exit_code=3)
        assert problem["facts"]["index"] == int({**bare, **forged}["seq"])
    console.refused("verify", "EP-7", code="NOT_FOUND", exit_code=1)

    (replayed,) = console.data("replay")
    assert [replayed] == console.data("replay", PLAN)
    assert (replayed["version"], replayed["events"]) == ("4", verified["events"])
    console.refused("replay", "EP-7", code="NOT_FOUND", exit_code=1)


def operate(console: Console) -> None:
    """sync, doctor, explain."""
    files = {path: path.read_bytes() for path in (console.workspace / PLAN).rglob("*.*")}
    for path in files:
        path.unlink()
    (report,) = json.loads(console.bps("sync", PLAN, "-o", "json").out)
    assert len(report["written"]) == len(files)
    (report,) = console.data("sync")
    assert (report["written"], len(report["unchanged"])) == ([], len(files))
    assert {path: path.read_bytes() for path in (console.workspace / PLAN).rglob("*.*")} == files
    canonical = console.workspace / PLAN / "canonical_blueprint.yaml"
    canonical.write_bytes(b"name: edited\n")
    told = console.bps("sync", "-o", "json")
    assert (told.code, told.problem["code"]) == (1, "WORKSPACE_CONFLICT")
    assert canonical.read_bytes() == b"name: edited\n"
    (conflict,) = json.loads(told.out)[0]["conflicts"]
    assert (console.workspace / conflict["beside"]).read_bytes() == BASE
    console.refused("sync", "EP-7", code="NOT_FOUND", exit_code=1)

    checks = console.data("doctor")
    assert {check["status"] for check in checks} <= {"ok", "warning"}
    by_name = {check["check"]: check["detail"] for check in checks}
    assert by_name["members"] == "3 of 3 answer"
    assert by_name["store"] == "policy 1"
    (row,) = console.data("explain", "MERGE_CONFLICT")
    assert row["exit_code"] == 1


def test_as_processes_data_on_stdout_and_progress_on_stderr(console: Console) -> None:
    title = "x" * 200
    plan = ("plan", "register", "EP-77", str(SAMPLE), "--title", title)
    made = console.process(*plan, env={"COLUMNS": "20", "NO_COLOR": "1", "LC_ALL": "POSIX"})
    assert (made.code, made.err) == (0, "")
    noop = console.process(*plan, "-o", "json", env={"PYTHONIOENCODING": "ascii"})
    assert json.loads(noop.out)["plan"] == "EP-77"
    assert noop.err == "noop: EP-77 is registered already\n"
    listed = console.process("plan", "list", env={"COLUMNS": "20", "TERM": "xterm-256color"})
    assert "\x1b" not in listed.out
    assert [line for line in listed.out.splitlines() if title in line and "EP-77" in line]
