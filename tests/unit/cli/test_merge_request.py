"""The quick reading of `bps merge ARGUMENTS`, held against Typer's."""

from __future__ import annotations

from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from bps.cli.app import app
from bps.cli.merge_request import MergeRequest, parse_arguments
from tests.unit.cli.invoke import invoke

READ_QUICKLY = [
    ["o", "a", "b"],
    ["o", "a", "b", "dir/path.yaml"],
    ["-", "a", "b", "-o", "out"],
    ["o", "-", "b", "--out=out", "--explain"],
    ["o", "a", "b", "--out", "-o"],
    ["--policy", "p.yaml", "o", "a", "b", "--format", "json"],
    ["--policy=p=q.yaml", "--format=text", "--", "o", "a", "b"],
    ["--", "o", "a", "b", "--explain"],
    ["--explain", "--", "-o", "-a", "-b", "-p"],
    ["o", "a", "b", "-o", "first", "-o", "second"],
    ["o", "a", "b", "--out="],
    ["", "a", "b"],
    ["--marker-size", "9", "--", "o", "a", "b", "p"],
    ["--marker-size=9999", "--base-label=%S", "--a-label", "-x", "--b-label", "y z", "o", "a", "b"],
]
LEFT_TO_TYPER = [
    [],
    ["o", "a"],
    ["o", "a", "b", "p", "more"],
    ["--help"],
    ["o", "a", "b", "--help"],
    ["o", "a", "b", "--no-such"],
    ["o", "a", "b", "--format", "yaml"],
    ["o", "a", "b", "-o"],
    ["o", "a", "b", "-oout"],
    ["o", "a", "b", "-o=out"],
    ["o", "a", "b", "--explain=yes"],
    ["o", "a", "b", "--pol", "p"],
    ["o", "a", "b", "--marker-size", "0"],
    ["o", "a", "b", "--marker-size", "10000"],
    ["o", "a", "b", "--marker-size", "99990"],
    ["o", "a", "b", "--marker-size", "-7"],
    ["o", "a", "b", "--marker-size", "\u0667"],
    ["o", "a", "b", "--marker-size", "%L"],
]

_NAMED = ("form", "explain", "marker_size", "base_label", "a_label", "b_label")
_VALUES = {"--format": "json", "--marker-size": "9"}


def command() -> Any:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    return root.commands["merge"]


def by_typer(arguments: list[str]) -> MergeRequest:
    found = command().make_context("merge", list(arguments)).params
    return MergeRequest(
        *(found[name] for name in ("base", "a", "b", "path", "out", "policy")),
        **{name: found[name] for name in _NAMED},
    )


@pytest.mark.parametrize("arguments", READ_QUICKLY, ids=" ".join)
def test_what_is_read_quickly_is_what_typer_reads(arguments: list[str]) -> None:
    found = parse_arguments(arguments)
    assert found is not None
    assert found == by_typer(arguments)


@pytest.mark.parametrize("arguments", LEFT_TO_TYPER, ids=" ".join)
def test_help_and_all_that_is_not_well_formed_is_left_to_typer(arguments: list[str]) -> None:
    assert parse_arguments(arguments) is None


def test_every_option_that_typer_has_is_read_quickly() -> None:
    for parameter in command().params:
        if parameter.param_type_name == "option" and "--help" not in parameter.opts:
            for form in parameter.opts:
                value = [] if parameter.is_flag else [_VALUES.get(form, "value")]
                assert parse_arguments(["o", "a", "b", form, *value]) is not None, form


def test_usage_errors_exit_2_and_help_exits_0() -> None:
    assert invoke("merge", "o", "a").code == 2
    assert "--policy" in invoke("merge", "--help").out
