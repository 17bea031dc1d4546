"""What is done is never reported as refused: the workspace, the output and Ctrl-C come after."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bps.bootstrap import Settings
from bps.cli.act import Act
from bps.cli.output import Format
from bps.clock import SystemClock
from bps.core.errors import NotLeader, ResultNotShown
from bps.core.ports import Store
from bps.plans.results import Receipt
from bps.store.memory import MemoryStore
from bps.writepath.command import Outcome
from tests.unit.cli.invoke import Ran, invoke

REGISTER = ("plan", "register", "EP-1", "-", "-o", "json")
DONE = Outcome(Receipt(plan="EP-1", seq=1, hash="0" * 64), "committed")


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Store]:
        yield MemoryStore(SystemClock())

    monkeypatch.setattr("bps.cli.session.open_store", opened)


def register(workspace: Path, *options: str) -> Ran:
    env = {"BPS_WORKSPACE": str(workspace)}
    return invoke(*REGISTER, *options, env=env, stdin=b"name: checkout\n")


@pytest.mark.usefixtures("in_memory")
def test_an_edited_file_in_the_workspace_is_a_warning(tmp_path: Path) -> None:
    edited = tmp_path / "EP-1" / "canonical_blueprint.yaml"
    edited.parent.mkdir()
    edited.write_text("name: mine\n")
    ran = register(tmp_path, "--op-id", "op-1")
    assert ran.code == 0
    assert json.loads(ran.out)["plan"] == "EP-1"
    assert "warning: operation op-1 is done" in ran.err
    assert "EP-1/canonical_blueprint.yaml" in ran.err
    assert "next: correct that, then run `bps sync EP-1`" in ran.err
    assert edited.read_text() == "name: mine\n"


@pytest.mark.usefixtures("in_memory")
@pytest.mark.parametrize("kind", ["a file", "a link", "not there"])
def test_a_workspace_that_cannot_be_used_is_a_warning(tmp_path: Path, kind: str) -> None:
    workspace = tmp_path / "parent" / "workspace"
    if kind != "not there":
        workspace.mkdir(parents=True)
    if kind == "a file":
        (workspace / "EP-1").write_text("")
    if kind == "a link":
        (workspace / "EP-1").symlink_to(tmp_path)
    ran = register(workspace)
    assert (ran.code, json.loads(ran.out)["version"]) == (0, "1")
    assert "is done; what follows it failed: " in ran.err


@pytest.mark.parametrize("failure", [OSError("the lock file"), NotLeader("x"), KeyError("a bug")])
def test_what_fails_before_the_outcome_fails_the_act_and_after_it_not(
    capsys: pytest.CaptureFixture[str], failure: Exception
) -> None:
    with pytest.raises(type(failure)), Act[Receipt]("op-1", Format.JSON):
        raise failure
    assert capsys.readouterr().out == ""
    with Act[Receipt]("op-1", Format.JSON) as act:
        act.outcome = DONE
        raise failure
    printed = capsys.readouterr()
    assert json.loads(printed.out)["plan"] == "EP-1"
    assert "warning: operation op-1 is done" in printed.err


def test_a_result_that_cannot_be_printed_is_told_with_the_operation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def show() -> None:
        with Act[Receipt]("op-1", Format.TABLE) as act:
            act.outcome = DONE
            act.show()

    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(ResultNotShown, match=r"Done as operation op-1.*No space") as told:
            show()
    assert told.value.facts == {"op": "op-1"}


@pytest.mark.parametrize("known", [False, True])
def test_whoever_interrupts_learns_how_to_find_out(
    capsys: pytest.CaptureFixture[str], known: bool
) -> None:
    def interrupted() -> None:
        with Act[Receipt]("op-1", Format.TABLE) as act:
            act.outcome = DONE if known else None
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        interrupted()
    err = capsys.readouterr().err
    assert ("is done" if known else "may be done") in err
    assert "--op-id op-1" in err
