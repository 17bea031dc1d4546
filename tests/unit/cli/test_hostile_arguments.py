"""Hostile arguments: a named error, exit 2, found before anything is connected to."""

from __future__ import annotations

import pytest

from bps.cli.options import chosen_plans
from tests.unit.cli.invoke import invoke, refused

LONG = "9" * 10_000

PLAN_COMMANDS = {
    "plan show": ("plan", "show", "{}"),
    "plan register": ("plan", "register", "{}", "-"),
    "branch open": ("branch", "open", "{}", "--trace-id", "T", "--fingerprint", "F"),
    "branch submit": ("branch", "submit", "{}", "1a2b3c4d", "-"),
    "branch fail": ("branch", "fail", "{}", "1a2b3c4d", "--reason", "x"),
    "branch rebase": ("branch", "rebase", "{}", "1a2b3c4d"),
    "branch show": ("branch", "show", "{}", "1a2b3c4d"),
    "branch list": ("branch", "list", "{}"),
    "promote": ("promote", "{}"),
    "promote --dry-run": ("promote", "{}", "--dry-run"),
    "revert": ("revert", "{}", "--to", "1"),
    "canonical": ("canonical", "{}"),
    "diff": ("diff", "{}", "1", "2"),
    "origins": ("origins", "{}"),
    "log": ("log", "{}"),
    "log --follow": ("log", "{}", "--follow"),
    "verify": ("verify", "{}"),
    "replay": ("replay", "EP-1", "{}"),
    "sync": ("sync", "{}"),
}
PLAN_IDS = [
    "EP-42/../x",
    "../EP-42",
    "EP-042",
    "EP-0",
    "EP-",
    "EP-\u0664\u0662",
    "EP-\uff14\uff12",
    "EP-42\n",
    "EP-42\n\nEP-43",
    "EP-42\0",
    "EP-" + LONG,
    "EP-99999999999",
    "ep-42",
    "\u0415P-42",
    "",
    " EP-42",
    "EP-42 ",
    "EP-42-RR(br1a2b3c4d)-1",
    "EP-\udcff",
    "EP-1.0",
    "true",
]


@pytest.mark.parametrize("command", PLAN_COMMANDS)
def test_every_command_refuses_a_plan_that_leads_elsewhere(command: str) -> None:
    for plan in ("EP-42/../x", "EP-1\0" + LONG):
        arguments = (argument.format(plan) for argument in PLAN_COMMANDS[command])
        refused(*arguments, code="INVALID_ID")


@pytest.mark.parametrize("plan", PLAN_IDS, ids=lambda plan: ascii(plan[:20]))
def test_plan_ids(plan: str) -> None:
    refused("plan", "show", plan, code="INVALID_ID")


@pytest.mark.parametrize(
    "branch",
    [
        "EP-42-RR(br1a2b3c4d)-0",
        "EP-42-RR(br1a2b3c4d)-01",
        "EP-42-RR(br1A2B3C4D)-1",
        "EP-42-RR(br1a2b3c4d)-99999999999",
        "EP-42-RR(br1a2b3c4d)-1/..",
        "EP-43-RR(br1a2b3c4d)-1",
        "1a2b3c4",
        "1A2B3C4D",
        "br",
        "../1a2b3c4d",
        "1a2b3c4d/..",
        "1a2b3c4d\n",
        "1a2b3c4d\0",
        "\u0661a2b3c4d",
        "f" * 41,
        "f" * 10_000,
        "",
        "\udcff",
    ],
    ids=lambda branch: ascii(branch[:24]),
)
def test_branches(branch: str) -> None:
    refused("branch", "show", "EP-42", branch, code="INVALID_ID")
    refused("promote", "EP-42", "1a2b3c4d", branch, code="INVALID_ID")
    parent = ("--parent", branch, "--trace-id", "T", "--fingerprint", "F")
    refused("branch", "open", "EP-42", *parent, code="INVALID_ID")


@pytest.mark.parametrize(
    "op_id",
    [
        "",
        " ",
        "a/b",
        "../x",
        "a\n",
        "a\0",
        "é",
        "x" * 129,
        "x" * 10_000,
        ".x",
        "-x",
        "a b",
        "\udcff",
    ],
    ids=lambda op_id: ascii(op_id[:20]),
)
def test_operation_ids(op_id: str) -> None:
    refused("init", f"--op-id={op_id}", code="INVALID_ID")
    refused("promote", "EP-42", f"--op-id={op_id}", code="INVALID_ID")


@pytest.mark.parametrize(
    "principal",
    [
        "",
        "Operator",
        "a b",
        "../x",
        "a/b",
        "a\n",
        "x" * 65,
        "x" * 10_000,
        "é",
        "a\0",
        "-a",
        "\udcff",
    ],
    ids=lambda principal: ascii(principal[:20]),
)
def test_principals(principal: str) -> None:
    refused(f"--as={principal}", "init", code="INVALID_ID")
    refused(f"--as={principal}", "revert", "EP-42", "--to", "1", code="INVALID_ID")


@pytest.mark.parametrize(
    "initiative",
    [
        "",
        "-a",
        "a-",
        "A",
        "a_b",
        "../a",
        "a/b",
        "x" * 64,
        "x" * 10_000,
        "ä",
        "a\n",
        "a\0",
        "\udcff",
    ],
    ids=lambda initiative: ascii(initiative[:20]),
)
def test_initiatives(initiative: str) -> None:
    arguments = ("plan", "register", "EP-42", "-", f"--initiative={initiative}")
    refused(*arguments, code="INVALID_ID", stdin=b"name: x\n")


@pytest.mark.parametrize(
    "number",
    [
        "0", "-1", "-0", "+1", "01", "9223372036854775808", LONG, "true", "None", "1.0", "1e3",
        "0x1", "1_0", " 1", "1 ", "1\n", "٣", "", "nan", "1\0", "\udcff",
    ],
    ids=lambda number: ascii(number[:20]),
)  # fmt: skip
def test_versions_and_event_numbers(number: str) -> None:
    for arguments in (
        ("revert", "EP-42", f"--to={number}"),
        ("canonical", "EP-42", f"--version={number}"),
        ("diff", "EP-42", "1", "--", number),
        ("origins", "EP-42", "--", number),
        ("log", "EP-42", f"--from={number}"),
    ):
        refused(*arguments, code="INVALID_INPUT")


@pytest.mark.parametrize(
    "text",
    ["\x1b[31mred", "a\0", "\u202egnp", "x" * 2_001, "\udcff", "a\rb", "\u2028"],
    ids=lambda text: ascii(text[:20]),
)
def test_texts(text: str) -> None:
    opened = ("branch", "open", "EP-42", "--trace-id", "T", "--fingerprint", "F")
    for arguments in (
        ("plan", "register", "EP-42", "-", f"--title={text}"),
        ("promote", "EP-42", f"--reason={text}"),
        ("revert", "EP-42", "--to=1", f"--reason={text}"),
        ("branch", "fail", "EP-42", "1a2b3c4d", f"--reason={text}"),
        (*opened, f"--summary={text}"),
    ):
        refused(*arguments, code="INVALID_INPUT")


@pytest.mark.parametrize(
    "label", ["", " T", "T ", "a\nb", "a\0", "x" * 201, "\udcff", "\x7f"], ids=ascii
)
def test_labels(label: str) -> None:
    derived = {"--component": "a", "--failure-class": "b", "--location": "c"}
    for name in derived:
        options = [f"{option}={text}" for option, text in {**derived, name: label}.items()]
        refused("branch", "open", "EP-42", "--trace-id=T", *options, code="INVALID_ID")
    for named in (
        (f"--trace-id={label}", "--fingerprint=F"),
        ("--trace-id=T", f"--fingerprint={label}"),
    ):
        refused("branch", "open", "EP-42", *named, code="INVALID_ID")


def test_a_title_is_one_line_of_at_most_200_characters() -> None:
    for title in ("x" * 201, "a\nb"):
        refused("plan", "register", "EP-42", "-", "--title", title, code="INVALID_INPUT")


def test_what_must_be_given_together() -> None:
    opened = ("branch", "open", "EP-42", "--trace-id", "T")
    refused(*opened, code="INVALID_INPUT")
    refused(*opened, "--component", "a", "--location", "c", code="INVALID_INPUT")
    refused(*opened, "--fingerprint", "F", "--component", "a", code="INVALID_INPUT")
    refused("diff", "EP-42", code="INVALID_INPUT")
    refused("diff", "EP-42", "1", code="INVALID_INPUT")
    refused("diff", "EP-42", "1", "2", "--branch", "1a2b3c4d", code="INVALID_INPUT")
    refused("sync", code="CONFIG_ERROR")
    refused("branch", "submit", "EP-42", "EP-42-RR(br1a2b3c4d)-1", code="CONFIG_ERROR")
    refused("promote", "EP-42", code="CONFIG_ERROR", env={"BPS_STANDALONE": "0"})
    refused("init", code="CONFIG_ERROR", env={"BPS_STANDALONE": "0"})


@pytest.mark.parametrize(
    "code", ["", "NO_SUCH_CODE", "MERGE_CONFLICT\n", LONG, "\udcff", "merge conflict", "76"]
)
def test_codes_to_explain(code: str) -> None:
    refused("explain", code, code="INVALID_INPUT")


def test_more_than_can_be_named_at_once() -> None:
    branches = [f"{n:08x}" for n in range(256)]
    refused("promote", "EP-42", *branches, code="INVALID_INPUT")
    plans = [f"EP-{n}" for n in range(1, 1_002)]
    workspace = {"BPS_WORKSPACE": "/nowhere"}
    for command in ("verify", "replay", "sync"):
        refused(command, *plans, code="INVALID_INPUT", env=workspace)


def test_what_is_named_twice_counts_once() -> None:
    assert chosen_plans(["EP-2", "EP-1", "EP-2"] * 500) == ["EP-2", "EP-1"]


@pytest.mark.parametrize(
    "arguments",
    [("merge", "--format", "xml", "a", "b", "c"), ("--store", "xml", "plan", "list")],
)
def test_a_value_that_is_none_of_those_allowed_is_told_in_plain_words(
    arguments: tuple[str, ...],
) -> None:
    ran = invoke(*arguments)
    assert ran.code == 2
    assert "Invalid value for '--" in ran.err
    assert ": 'xml' is not one of " in ran.err


def test_what_to_do_next_fits_what_was_wrong() -> None:
    assert refused("explain", "foo", code="INVALID_INPUT")["next_action"] == (
        "`bps explain` lists all of them."
    )
    problem = refused("plan", "register", "EP-1", "no-such-file", code="INVALID_INPUT")
    assert problem["next_action"] == "Name a file that can be read, or - for standard input."
