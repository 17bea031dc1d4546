"""Hostile files on the command line: a named error, exit 2, found before anything is connected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.cli.invoke import invoke, refused

OPENED = ("branch", "open", "EP-42", "--trace-id", "T", "--fingerprint", "F")
ALIAS_BOMB = b"a: &a [x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (name, name, b", ".join([b"*%c" % (name - 1)] * 8)) for name in b"bcdefghij"
)
JSON_BOMBS = [
    b"",
    b"{",
    b"true",
    b"null",
    b"[]",
    b'"x"',
    b"1",
    b"[" * 60_000,
    b'{"a":' * 9_000,
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"\xff",
    b"NaN",
    b"{} {}",
]
CLOCKS = [
    *JSON_BOMBS,
    b'{"canonical": true}',
    b'{"canonical": null}',
    b'{"canonical": 1.0}',
    b'{"canonical": 1e3}',
    b'{"canonical": -1}',
    b'{"canonical": NaN}',
    b'{"canonical": 9223372036854775808}',
    b'{"canonical": "9223372036854775808"}',
    b'{"canonical": %s}' % (b"9" * 5_000),
    b'{"canonical": "01"}',
    b'{"canonical": "+1"}',
    b'{"canonical": " 1"}',
    '{"canonical": "٣"}'.encode(),
    b'{"canonical": {"canonical": 1}}',
    b'{"canonical": [1]}',
    b'{"canonical": 1, "canonical": 2}',
    b'{"canonical": 1}' + b" " * 70_000,
]
ACTORS = ["nobody", "", "Canonical", "f" * 39, "F" * 40, "../x", "\\u0000", "\\ud800"]
HASH = b"0" * 64
RECEIPTS = [
    *JSON_BOMBS,
    b"{}",
    b'{"receipt": null}',
    b'{"receipt": {"receipt": {}}}',
    b'{"plan": "EP-1", "seq": "1"}',
    b'{"plan": "EP-1", "seq": true, "hash": "%s"}' % HASH,
    b'{"plan": "EP-1", "seq": 1.0, "hash": "%s"}' % HASH,
    b'{"plan": "EP-1", "seq": "0", "hash": "%s"}' % HASH,
    b'{"plan": "EP-1", "seq": "-1", "hash": "%s"}' % HASH,
    b'{"plan": "EP-1", "seq": "99999999999999999999", "hash": "%s"}' % HASH,
    b'{"plan": "EP-1", "seq": "1", "hash": "abc"}',
    b'{"plan": "EP-1", "seq": "1", "hash": "%s\\n"}' % HASH,
    b'{"plan": "EP-1", "seq": "1", "hash": "%s", "surplus": 1}' % HASH,
    b'{"plan": "EP-1", "seq": "1", "hash": "%s", "plan": "EP-2"}' % HASH,
    b'{"plan": 1, "seq": "1", "hash": "%s"}' % HASH,
]


def shown(data: bytes) -> str:
    return ascii(data[:40])


@pytest.mark.parametrize("clock", CLOCKS, ids=shown)
def test_clock_files(tmp_path: Path, clock: bytes) -> None:
    path = tmp_path / "clock.json"
    path.write_bytes(clock)
    refused(*OPENED, "--clock-file", str(path), code="INVALID_INPUT")
    refused(*OPENED, "--clock-file", "-", code="INVALID_INPUT", stdin=clock)


@pytest.mark.parametrize("actor", ACTORS)
def test_actors_of_clock_files(actor: str) -> None:
    clock = f'{{"{actor}": 1}}'.encode()
    refused(*OPENED, "--clock-file", "-", code="INVALID_ID", stdin=clock)


@pytest.mark.parametrize("receipt", RECEIPTS, ids=shown)
def test_receipts(receipt: bytes) -> None:
    refused("verify", "--receipt", "-", code="INVALID_INPUT", stdin=receipt)


def test_a_receipt_of_no_plan_or_of_another() -> None:
    receipt = b'{"plan": "%s", "seq": "1", "hash": "%s"}'
    for plan in (b"EP-01", b"EP-1/../x", b""):
        named = receipt % (plan, HASH)
        refused("verify", "--receipt", "-", code="INVALID_ID", stdin=named)
    named = receipt % (b"EP-1", HASH)
    refused("verify", "EP-2", "--receipt", "-", code="INVALID_INPUT", stdin=named)


@pytest.mark.parametrize(
    ("blueprint", "rule"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\xff" * 1_000, None),
        (bytes(range(256)) * 40, None),
        (b"# x\n" * 524_288, "too-large"),
        (ALIAS_BOMB, "alias-expansion"),
        (b"a: " + b"[" * 100_000, "too-deep"),
        (b"- 1\n", "root-not-a-mapping"),
    ],
    ids=["empty", "binary", "all bytes", "2 MiB", "alias bomb", "depth bomb", "list"],
)
def test_blueprints(tmp_path: Path, blueprint: bytes, rule: str | None) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_bytes(blueprint)
    for arguments in (("plan", "register", "EP-42"), ("branch", "submit", "EP-42", "1a2b3c4d")):
        problem = refused(*arguments, str(path), code="BLUEPRINT_REFUSED")
        assert rule in {None, problem["facts"]["rule"]}
        again = refused(*arguments, "-", code="BLUEPRINT_REFUSED", stdin=blueprint)
        assert again == problem


def special_files(directory: Path) -> dict[str, str]:
    fifo, loop = directory / "fifo", directory / "loop"
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    return {
        "directory": str(directory),
        "missing": str(directory / "missing"),
        "pipe without a writer": str(fifo),
        "symlink to itself": str(loop),
        "endless": "/dev/zero",
        "below a file": "/dev/null/x",
        "long name": str(directory / ("x" * 300)),
        "long path": "/".join(["x" * 200] * 50),
        "empty": "",
        "not UTF-8": "a\udcffb",
    }


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "register", "EP-42"),
        ("branch", "submit", "EP-42", "1a2b3c4d"),
        ("verify", "--receipt"),
        (*OPENED, "--clock-file"),
    ],
    ids=["register", "submit", "receipt", "clock"],
)
def test_what_is_no_file(tmp_path: Path, command: tuple[str, ...]) -> None:
    for path in special_files(tmp_path).values():
        problem = refused(*command, path, code="INVALID_INPUT")
        assert "file" in problem["detail"] or "cannot be read" in problem["detail"]


def test_a_fork_is_read_from_no_other_place(tmp_path: Path) -> None:
    rr_plan = "EP-42-RR(br1a2b3c4d)-1"
    directory = tmp_path / "EP-42" / rr_plan
    directory.mkdir(parents=True)
    fork = directory / "blueprint_v1.yaml"
    env = {"BPS_WORKSPACE": str(tmp_path)}
    submit = ("branch", "submit", "EP-42", rr_plan)

    missing = refused(*submit, code="NOT_FOUND", exit_code=1, env=env)
    assert "bps sync" in missing["detail"]
    fork.write_bytes(b"# x\n" * 524_288)
    refused(*submit, code="BLUEPRINT_REFUSED", env=env)
    fork.unlink()
    secret = tmp_path / "secret.yaml"
    secret.write_text("name: secret\n")
    fork.symlink_to(secret)
    refused(*submit, code="UNSAFE_PATH", env=env)
    refused("branch", "submit", "EP-42", "1a2b3c4d", code="INVALID_ID", env=env)


def test_a_branch_without_a_file_is_told_both_ways_on(tmp_path: Path) -> None:
    ran = invoke("--workspace", str(tmp_path), "branch", "submit", "EP-1", "br1a2b3c4d")
    assert (ran.code, "[INVALID_ID]" in ran.err) == (2, True)
    assert "Name the RR-plan in full" in ran.err
    assert "or name the repaired file" in ran.err
