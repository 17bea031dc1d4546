"""The key registry from the command line: three holders, and a lost key replaced by two of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.cli.console import Console

pytestmark = pytest.mark.cluster

HOLDERS = ("alice", "bob", "carol")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of ssh-keygen by the names of their holders, and one more."""
    path = tmp_path_factory.mktemp("keys")
    for name in (*HOLDERS, "new"):
        made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path / name)]
        subprocess.run(made, check=True)
    return path


def test_two_of_three_holders_replace_a_lost_key(console: Console, folder: Path) -> None:
    assert console.bps("init").code == 0
    ids = {}
    for name in HOLDERS:
        arguments = ("--holder", name, "--purpose", "holder", "--op-id", f"add-{name}")
        ids[name] = console.data("keys", "add", str(folder / f"{name}.pub"), *arguments)["key_id"]
    new = str(folder / "new.pub")
    problem = console.refused(
        "keys", "rotate", ids["carol"], new, code="APPROVALS_MISSING", exit_code=1
    )
    assert problem["facts"]["needed"] == 2
    stated = console.bps(
        "keys", "statement", "rotate", "--key-id", ids["carol"], "--public-key", new
    )
    statement = folder / "statement.json"
    statement.write_text(stated.out)
    approvals: list[str] = []
    for name in ("alice", "bob"):
        signed = console.bps("keys", "sign", str(statement), "--key", str(folder / name))
        assert f"signed by {ids[name]}: rotate key {ids['carol']}" in signed.err
        file = folder / f"{name}.json"
        file.write_text(signed.out)
        approvals += ["--approval", str(file)]
    rotated = console.data("keys", "rotate", ids["carol"], new, *approvals, "--op-id", "rotate-1")
    assert (rotated["holder"], rotated["replaces"]) == ("carol", ids["carol"])
    spent = console.refused(
        "keys", "revoke", rotated["key_id"], *approvals, code="APPROVALS_MISSING", exit_code=1
    )
    assert spent["facts"]["counted"] == 0
    rows = {row["key_id"]: row for row in console.data("keys", "list")}
    assert rows[ids["carol"]]["replaced_by"] == rotated["key_id"]
    assert sorted(rows[rotated["key_id"]]["approved_by"]) == sorted([ids["alice"], ids["bob"]])
    checks = {row["check"]: row for row in json.loads(console.bps("doctor", "-o", "json").out)}
    assert checks["key registry"]["status"] == "ok"
    assert checks["checkpoints"]["status"] == "warning"
