"""`bps policy set`: a file that is no whole policy, or was never seen, ends before a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from bps.policy.model import DEFAULT_POLICY
from tests.unit.cli.both_ways import directly
from tests.unit.cli.invoke import invoke

RULES = DEFAULT_POLICY.rules


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "text",
        None,
        {**RULES, "n": 2},
        {**RULES, "n": "0"},
        {**RULES, "max_branches": 0},
        {**RULES, "max_branches": "200"},
        {**RULES, "max_branches": 1.5},
        {**RULES, "more": 1},
        {**RULES, "\u001b[31m": 1},
        {name: rule for name, rule in RULES.items() if name != "max_contributors"},
    ],
)
def test_a_document_that_is_no_whole_policy_is_refused(document: Any, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_bytes(orjson.dumps(document))
    ran = invoke("policy", "set", str(file), "--if-match", "*", "-o", "json")
    assert (ran.code, ran.problem["code"]) == (2, "INVALID_INPUT")
    assert "\u001b" not in ran.err


def test_a_refusal_says_what_is_wrong_with_each_field(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    rules = {name: rule for name, rule in RULES.items() if name != "max_contributors"}
    file.write_bytes(orjson.dumps({**rules, "max_branches": 256, "max_contributers": 3}))
    ran = invoke("policy", "set", str(file), "--if-match", "*")
    for said in (
        "max_branches: it has to be 255 or less",
        "max_contributors: it is missing",
        "max_contributers: it is unknown",
    ):
        assert said in ran.err
    file.write_bytes(b"{}")
    assert (
        "; and 1 more. [INVALID_INPUT]" in invoke("policy", "set", str(file), "--if-match", "*").err
    )


@pytest.mark.parametrize("etag", [None, "", 7])
def test_without_an_etag_nothing_is_replaced(etag: Any, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_bytes(orjson.dumps({**RULES, "etag": etag} if etag is not None else RULES))
    ran = invoke("policy", "set", str(file), "-o", "json")
    assert (ran.code, ran.problem["code"]) == (2, "PRECONDITION_REQUIRED")


def test_what_show_prints_is_what_set_takes(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_bytes(orjson.dumps({**RULES, "n": "1", "etag": "1-abc"}))
    assert invoke("policy", "set", str(file)).code == 75, "it was not refused, but no etcd is there"


def test_set_on_the_store_itself_says_where_the_validators_were_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    way = directly(monkeypatch, tmp_path)
    way.bps("init", "--standalone")
    said = "a service judges by those installed where it runs"
    for validators, told in ([], False), (RULES["validators"], True):
        file = tmp_path / "policy.json"
        file.write_bytes(orjson.dumps({**RULES, "validators": validators}))
        ran = way.bps("policy", "set", str(file), "--if-match", "*", "--standalone")
        assert (ran.code, said in ran.err) == (0, told), ran
