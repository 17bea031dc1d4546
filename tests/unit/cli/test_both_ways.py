"""A command says and does the same directly and through the service; where it goes is clear."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bps.core import keys
from bps.core.txn import Delete, Txn
from tests.doubles.scene import PLAN
from tests.unit.checkpoints.trail import Trail
from tests.unit.cli.both_ways import Way, directly, through_the_service
from tests.unit.cli.invoke import invoke
from tests.unit.http.harness import token_of

FIRST = b"title: one\n"
SECOND = "title: two\n"
_OF_THIS_RUN = {
    "hash",
    "head",
    "time",
    "revision",
    "published_ms",
    "registered_ms",
    "opened_ms",
    "closed_ms",
    "registered_at",
    "published_at",
    "bpsprev",
    "bpsoperation",
}

Step = tuple[int, Any, str]


def steady(data: Any) -> Any:
    """Without instants, and without what hashes cover instants."""
    if isinstance(data, list):
        return [steady(each) for each in data]
    if isinstance(data, dict):
        return {name: steady(each) for name, each in data.items() if name not in _OF_THIS_RUN}
    return data


def files(workspace: Path) -> dict[str, Any]:
    found = {}
    for path in sorted(workspace.rglob("*")):
        if path.is_file():
            text = path.read_text()
            fields = json.loads(text) if path.suffix == ".json" else text
            if isinstance(fields, dict):
                for changing in ("content_digest", "opened_at", "closed_at", "published_at"):
                    fields.pop(changing, None)
            found[str(path.relative_to(workspace))] = fields
    return found


def lived(way: Way) -> list[Step]:
    """A plan's life, in JSON; each step's exit code, data, and what was said on stderr."""
    steps: list[Step] = []

    def step(*arguments: str, stdin: bytes | None = None) -> Any:
        ran = way.bps(*arguments, "-o", "json", stdin=stdin)
        found = json.loads(ran.out) if ran.out else None
        said = ran.err
        if ran.code:
            problem = ran.problem
            problem["facts"].pop("trace_id", None)
            said = json.dumps(problem)
        steps.append((ran.code, steady(found), said))
        return found

    step("plan", "register", "EP-1", "-", "--title", "x", "--op-id", "op-1", stdin=FIRST)
    step("plan", "register", "EP-1", "-", "--title", "x", "--op-id", "op-1", stdin=FIRST)
    step("plan", "register", "EP-1", "-", stdin=b"title: other\n")
    step("plan", "register", "EP-1", "-", "--op-id", "op-1", stdin=FIRST)
    cause = ("--trace-id", "t-1", "--fingerprint", "slow")
    rr_plan = step("branch", "open", "EP-1", *cause)["rr_plan"]
    step("branch", "open", "EP-1", "--trace-id", "t-2", "--fingerprint", "slow")
    fork = way.workspace / "EP-1" / rr_plan / "blueprint_v1.yaml"
    assert fork.read_bytes() == FIRST
    fork.write_text(SECOND)
    step("branch", "submit", "EP-1", rr_plan)
    step("promote", "EP-1", "--dry-run")
    result = step("promote", "EP-1", "--reason", "faster")
    step("promote", "EP-1")
    step("branch", "open", "EP-1", "--trace-id", "t-3", "--fingerprint", "other")
    other = step("branch", "list", "EP-1")[-1]["rr_plan"]
    step("branch", "rebase", "EP-1", other)
    step("branch", "fail", "EP-1", other, "--reason", "no")
    step("branch", "show", "EP-1", rr_plan)
    step("revert", "EP-1", "--to", "1")
    step("plan", "list")
    step("plan", "show", "EP-1")
    step("canonical", "EP-1", "--version", "2")
    step("canonical", "EP-2")
    step("canonical", "EP-1", "--version", "9")
    step("diff", "EP-1", "1", "2")
    step("diff", "EP-1", "--branch", other)
    for name, content in (("one", b"title: one\none: 1\n"), ("two", b"two: 2\n\ntitle: one\n")):
        fix = step("branch", "open", "EP-1", "--trace-id", name, "--fingerprint", name)
        step("branch", "submit", "EP-1", fix["rr_plan"], "-", stdin=content)
    step("promote", "EP-1", "--reason", "both")
    for version in ((), ("1",), ("2",), ("3",), ("4",), ("5",)):
        step("origins", "EP-1", *version)
    step("origins", "EP-2")
    step("revert", "EP-1", "--to", "1")
    step("log", "EP-1", "--from", "2")
    step("log", "EP-1", "--from", "99")
    receipt = way.workspace / "result.json"
    receipt.write_text(json.dumps(result))
    step("verify", "--receipt", str(receipt))
    step("verify", "EP-1", "EP-2")
    step("replay")
    receipt.unlink()
    edited = way.workspace / "EP-1" / "canonical_blueprint.yaml"
    edited.write_text("mine: 1\n")
    step("sync", "EP-1")
    edited.unlink()
    step("sync")
    return steps


def test_the_life_of_a_plan_is_the_same_in_both_ways(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    direct = directly(monkeypatch, tmp_path / "direct")
    served = through_the_service(monkeypatch, tmp_path / "served")
    for one, other in zip(lived(direct), lived(served), strict=True):
        assert one == other
    shown = files(direct.workspace)
    assert shown == files(served.workspace)
    assert len(shown) > 4
    assert direct.bps("canonical", "EP-1", "--content").out_bytes == FIRST
    assert served.bps("canonical", "EP-1", "--content").out_bytes == FIRST


def test_doctor_and_events_through_the_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    way = through_the_service(monkeypatch, tmp_path)
    way.data("plan", "register", "EP-1", "-", stdin=FIRST)
    assert way.bps("doctor").code == 2
    checks = json.loads(way.bps("doctor", "-o", "json", BPS_TOKEN=token_of("operator")).out)
    assert {"quorum", "store"} <= {each["check"] for each in checks}
    (event,) = way.data("events", "EP-1")
    assert (event["id"], event["event"]["type"]) == ("1", "io.haios.bps.plan_registered")
    (again,) = way.data("events", "--all", "--after", "1")
    assert again["event"] == event["event"]
    assert "EP-1" in way.bps("events", "EP-1").out
    assert way.data("events", "EP-1", "--after", "1") == []
    beyond = way.bps("events", "EP-1", "--after", "99")
    assert (beyond.code, beyond.out) == (2, "")
    assert "INVALID_INPUT" in beyond.err


def test_checkpoints_are_shown_in_both_ways(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def signed() -> Trail:
        trail = await Trail.make()
        await trail.advance(PLAN)
        await trail.advance(covering=(trail.signer,))
        # Else each command's service waits for another leader first.
        await trail.scene.memory.commit(Txn((), (Delete(keys.LEADER_HOLDER),)))
        return trail

    trail = asyncio.run(signed())
    for way_of in (directly, through_the_service):
        way = way_of(monkeypatch, tmp_path, trail.scene.memory)
        way.env["BPS_TOKEN"] = token_of("auditor")
        listed = way.data("checkpoint", "list")
        assert [each["seq"] for each in listed] == ["1", "2"]
        assert way.data("checkpoint", "show", "2") == listed[1]
        table = way.bps("checkpoint", "list").out
        assert table.startswith("SEQ  TIME")
        assert max(map(len, table.splitlines())) < 80
        assert way.bps("checkpoint", "show", "3").code == 1
        assert way.bps("checkpoint", "show", "x").code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("events",), "Name a plan, or --all"),
        (("events", "EP-1", "--all"), "Name a plan, or --all"),
        (("events", "--all"), "need --after"),
        (("events", "EP-1", "--after", "1-1"), "is no id"),
        (("events", "--all", "--after", "-1"), "is no id"),
        (("events", "--all", "--after", "x"), "is no id"),
        (("events", "EP-1"), "asks a service"),
    ],
)
def test_what_events_refuses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = directly(monkeypatch, tmp_path).bps(*arguments)
    assert ran.code == 2
    assert said in ran.err


SERVICE = {"BPS_URL": "http://127.0.0.1:1", "BPS_ETCD_ENDPOINTS": None, "BPS_STANDALONE": None}


@pytest.mark.parametrize(
    ("options", "env", "said"),
    [
        ((), {**SERVICE, "BPS_URL": None}, "Writing needs a service"),
        (("--etcd", "h:1"), SERVICE, "Writing needs a service"),
        ((), {**SERVICE, "BPS_STANDALONE": "1"}, "name one of them"),
        (("--etcd", "h:1", "--url", "http://h"), SERVICE, "name one of them"),
        (("--as", "me"), SERVICE, "--as is for --standalone"),
        (("--url", "http://bps.example.org", "--token", token_of("s3cret")), SERVICE, "https only"),
        (("--url", "nowhere"), SERVICE, "is no URL of a service"),
        (("--url", "http://h", "--context", "c"), SERVICE, "name one of them"),
        (("--context", "c"), SERVICE, "There is no context 'c'"),
        (("--url", "http://127.0.0.1:1", "--token", "two words"), SERVICE, "not a whole token"),
    ],
)
def test_exactly_one_way_is_named(
    tmp_path: Path, options: tuple[str, ...], env: dict[str, str | None], said: str
) -> None:
    variables = {**env, "BPS_CONFIG": str(tmp_path / "config.toml")}
    ran = invoke(*options, "branch", "fail", "EP-1", "66400e4b", "--reason", "x", env=variables)
    assert (ran.code, ran.out) == (2, ""), ran
    assert said in ran.err
    assert "s3cret" not in ran.err


def test_a_service_that_is_not_there_is_unavailable_and_says_so(tmp_path: Path) -> None:
    env = {**SERVICE, "BPS_CONFIG": str(tmp_path / "config.toml")}
    for arguments in (("plan", "list"), ("branch", "fail", "EP-1", "66400e4b", "--reason", "x")):
        ran = invoke(*arguments, env=env)
        assert (ran.code, ran.out) == (75, "")
        assert "The service at http://127.0.0.1:1 does not answer" in ran.err
        assert "next: Start the service" in ran.err


def test_a_context_names_the_service_where_nothing_nearer_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    way = through_the_service(monkeypatch, tmp_path / "ws")
    way.env |= {"BPS_URL": None, "BPS_TOKEN": None, "BPS_CONFIG": str(tmp_path / "config.toml")}
    add = ("context", "add", "laptop", "--url", "http://127.0.0.1", "--token-stdin")
    way.data(*add, stdin=token_of("supervisor").encode() + b"\n")
    way.data("plan", "register", "EP-1", "-", stdin=FIRST)
    assert [plan["plan"] for plan in way.data("plan", "list")] == ["EP-1"]
    assert way.bps("--token", token_of("nobody"), "plan", "list").code == 2
    assert way.data("--context", "laptop", "plan", "show", "EP-1")["plan"] == "EP-1"


@contextmanager
def hanging_up() -> Iterator[tuple[str, list[bytes]]]:
    """A service that reads a request and closes the connection; its URL, and what it read."""
    read: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    read.append(connection.recv(65_536))

        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", read
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_an_act_without_an_answer_is_sent_once_and_named(tmp_path: Path) -> None:
    act = ("branch", "fail", "EP-1", "66400e4b", "--reason", "x", "--op-id", "op-1")
    with hanging_up() as (url, read):
        env = {**SERVICE, "BPS_URL": url, "BPS_TOKEN": token_of("s3cret")}
        ran = invoke(*act, "-o", "json", env=env)
    assert (ran.code, ran.out) == (75, "")
    assert ran.problem["code"] == "OUTCOME_UNKNOWN"
    assert ran.problem["facts"]["op"] == "op-1"
    assert len(read) == 1
    assert b"idempotency-key: op-1" in read[0].lower()
    assert "s3cret" not in ran.err


@pytest.mark.parametrize("make", [directly, through_the_service])
def test_ended_credentials_are_pruned_in_both_ways(
    make: Callable[[pytest.MonkeyPatch, Path], Way], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    way = make(monkeypatch, tmp_path)
    if "BPS_TOKEN" in way.env:
        way.env["BPS_TOKEN"] = token_of("operator")
    made = [way.data("token", "create", "agent-1", "--role", "agent") for _ in range(2)]
    way.data("token", "revoke", made[0]["id"])
    assert way.data("token", "prune") == {"pruned": [], "more": False}
    time.sleep(1.01)
    prune = ("token", "prune", "--older-than", "1s", "--op-id", "p-1")
    assert way.data(*prune) == {"pruned": [made[0]["id"]], "more": False}
    assert way.data(*prune) == {"pruned": [made[0]["id"]], "more": False}
    assert [each["id"] for each in way.data("token", "list")] == [made[1]["id"]]
    assert way.bps("token", "prune", "--older-than", "0d").code == 2
