"""Every command has a published output, and every published output has a command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from bps.api.outputs import OUTPUTS
from bps.cli.app import app
from tests.unit.cli.invoke import invoke

WITHOUT_DATA = {"demo", "serve"}


def commands(group: TyperGroup, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name)


def tree() -> list[tuple[str, ...]]:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    return list(commands(root))


def test_commands_and_outputs_are_the_same() -> None:
    assert {"-".join(path) for path in tree()} - WITHOUT_DATA == set(OUTPUTS)


def test_every_command_has_help_that_says_what_its_options_do() -> None:
    for path in tree():
        ran = invoke(*path, "--help")
        assert (ran.code, ran.err) == (0, "")
        assert f"Usage: bps {' '.join(path)}" in ran.out
        chooses = "--format" if path == ("merge",) else "--output"
        assert (chooses in ran.out) is (path[-1] not in WITHOUT_DATA)
    root = invoke("--help")
    assert "75 unavailable" in " ".join(root.out.split())


def test_every_argument_is_shown_as_the_pages_name_it() -> None:
    for path in tree():
        usage = invoke(*path, "--help").out.partition("\n\n")[0].partition("[OPTIONS]")[2]
        assert usage == usage.upper(), f"{path}: {usage}"


def test_standalone_where_it_is_no_option_is_told_how_to_read_etcd() -> None:
    for arguments in (("--standalone", "plan", "list"), ("plan", "list", "--standalone")):
        ran = invoke(*arguments)
        assert ran.code == 2
        assert "It goes behind a command that writes; " in " ".join(ran.err.split())
        assert "BPS_STANDALONE=1" in ran.err
        assert "--store" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("promote", "--store", "gateway", "EP-1"), "bps --store VALUE promote ..."),
        (("plan", "list", "--token", "x"), "bps --token VALUE plan list ..."),
        (("revert", "EP-1", "--as", "me"), "bps --as VALUE revert ..."),
        (("serve", "--etcd", "h:1"), "bps --etcd VALUE serve ..."),
    ],
)
def test_a_root_option_behind_the_command_is_told_where_it_goes(
    arguments: tuple[str, ...], shown: str
) -> None:
    ran = invoke(*arguments)
    assert ran.code == 2
    assert f"It goes before the command: {shown}" in " ".join(ran.err.split())
    assert "goes before" not in invoke("promote", "--no-such", "EP-1").err
