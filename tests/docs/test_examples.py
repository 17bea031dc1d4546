"""Every command of the console blocks in README.md and docs/cli.md is run, and ends as shown."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bps.bootstrap import embedded_etcd
from tests.asynchronous import run
from tests.checkout import ROOT, VARIABLE, python_path
from tests.cluster.free_ports import free_ports
from tests.docs.pages import DOCS, Example, examples

README = ROOT / "README.md"
_DEADLINE_S = 240.0
_MARK = "@@ exit"
_PORT = "8780"
"""Where the pages let the service listen."""


def user_of(home: Path) -> dict[str, str]:
    """A user's environment in a checkout, and nothing of this machine's."""
    (home / "docs").symlink_to(DOCS)
    (home / ".venv").symlink_to(sys.prefix)
    return {
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
        VARIABLE: python_path(),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "BPS_ETCD_DATA_DIR": str(home / "etcd"),
        "BPS_ALLOW_OLD_ETCD": "1",
    }


@asynccontextmanager
async def environment(home: Path) -> AsyncIterator[dict[str, str]]:
    """The same with an etcd that runs already."""
    async with embedded_etcd(temporary=True) as etcd:
        yield {**user_of(home), "BPS_ETCD_ENDPOINTS": etcd.endpoint}


def script(commands: list[Example]) -> str:
    """All commands in one shell, so that exports last; each ends with its exit code marked."""
    marked = (f"{each.command}\nprintf '\\n{_MARK} %d\\n' $?" for each in commands)
    return "\n".join(("trap 'kill $(jobs -p) 2>/dev/null' EXIT", *marked))


def on_port(port: str, commands: list[Example]) -> list[Example]:
    """The same, where the service listens on another port."""
    return [
        Example(
            each.command.replace(_PORT, port),
            each.exit_code,
            [line.replace(_PORT, port) for line in each.shown],
        )
        for each in commands
    ]


def readme_script() -> str:
    """The Python of the README."""
    (script_,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.M | re.S)
    return str(script_)


async def run_readme(home: Path) -> None:
    await run_examples(README, home, user_of(home))


async def run_reference(home: Path) -> None:
    async with environment(home) as variables:
        await run_examples(DOCS / "cli.md", home, variables)


async def run_examples(page: Path, home: Path, variables: dict[str, str]) -> None:
    """Run a page's commands in one shell; each must end, and print, as the page shows."""
    found = examples(page)
    assert len(found) > 5, f"{page.name} has lost its examples"
    await run_commands(found, home, variables)


async def run_commands(found: list[Example], home: Path, variables: dict[str, str]) -> None:
    """Run commands in one shell; the script of the README lies where it is said to be."""
    (number,) = free_ports(1)
    port = str(number)
    commands = on_port(port, found)
    (home / "history.py").write_text(readme_script().replace(_PORT, port))
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-c", script(commands)),
        cwd=home,
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await shell.communicate()
    printed = out.decode()
    for example in commands:
        output, mark, printed = printed.partition(f"\n{_MARK} ")
        assert mark, f"the shell ended before {example.command!r}:\n{output}"
        code, _, printed = printed.partition("\n")
        assert int(code) == example.exit_code, f"{example.command!r} gave\n{output}"
        assert example.shows(output), f"{example.command!r} gave\n{output}"
    assert not printed.strip()


@pytest.mark.timeout(_DEADLINE_S + 30)
def test_the_examples_run_as_shown(tmp_path: Path) -> None:
    homes = tmp_path / "readme", tmp_path / "cli"
    for home in homes:
        home.mkdir()

    async def all_pages() -> None:
        async with asyncio.TaskGroup() as side_by_side:
            side_by_side.create_task(run_readme(homes[0]))
            side_by_side.create_task(run_reference(homes[1]))

    run(all_pages(), deadline_s=_DEADLINE_S)


def test_a_shown_output_must_be_the_output() -> None:
    example = Example("", 0, ["act  opened", "...", "hash ... end"])
    assert example.shows("act  opened\nplan\nhash 12 end\n")
    assert not example.shows("act  opened\nplan\nhash 12\n")
    assert not example.shows("nothing\nact  opened\n\nhash 12 end\n")
