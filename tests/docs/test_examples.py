"""Every command of the console blocks in README.md and docs/cli.md is run, and ends as shown."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bps.bootstrap import embedded_etcd
from tests.asynchronous import run
from tests.docs.pages import DOCS, ROOT, Example, examples

_DEADLINE_S = 240.0
_MARK = "@@ exit"


@asynccontextmanager
async def environment(home: Path) -> AsyncIterator[dict[str, str]]:
    """A user's environment with an etcd of its own, and nothing of this machine's."""
    (home / "docs").symlink_to(DOCS)
    (home / ".venv").symlink_to(sys.prefix)
    async with embedded_etcd(temporary=True) as etcd:
        yield {
            "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "BPS_ETCD_DATA_DIR": str(home / "etcd"),
            "BPS_ETCD_ENDPOINTS": etcd.endpoint,
            "BPS_ALLOW_OLD_ETCD": "1",
        }


def script(commands: list[Example]) -> str:
    """All commands in one shell, so that exports last; each ends with its exit code marked."""
    return "\n".join(f"{each.command}\nprintf '\\n{_MARK} %d\\n' $?" for each in commands)


async def run_page(page: Path, home: Path) -> None:
    commands = examples(page)
    assert len(commands) > 5, f"{page.name} has lost its examples"
    async with environment(home) as variables:
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
        assert mark, f"{page.name}: the shell ended before {example.command!r}:\n{output}"
        code, _, printed = printed.partition("\n")
        assert int(code) == example.exit_code, f"{page.name}: {example.command!r} gave\n{output}"
        assert example.shows(output), f"{page.name}: {example.command!r} gave\n{output}"
    assert not printed.strip()


@pytest.mark.timeout(_DEADLINE_S + 30)
def test_the_examples_run_as_shown(tmp_path: Path) -> None:
    homes = {ROOT / "README.md": tmp_path / "readme", DOCS / "cli.md": tmp_path / "cli"}
    for home in homes.values():
        home.mkdir()

    async def all_pages() -> None:
        async with asyncio.TaskGroup() as side_by_side:
            for page, home in homes.items():
                side_by_side.create_task(run_page(page, home))

    run(all_pages(), deadline_s=_DEADLINE_S)


def test_a_shown_output_must_be_the_output() -> None:
    example = Example("", 0, ["act  opened", "...", "hash ... end"])
    assert example.shows("act  opened\nplan\nhash 12 end\n")
    assert not example.shows("act  opened\nplan\nhash 12\n")
    assert not example.shows("nothing\nact  opened\n\nhash 12 end\n")
