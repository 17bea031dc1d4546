"""The commands of the playbooks are run on an etcd that is well; each page has the same parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.asynchronous import run
from tests.docs.pages import DOCS, Example, examples
from tests.docs.test_examples import environment, run_commands

_OURS = ("etcd-no-space", "restored-snapshot", "etcd-quorum-loss", "merge-review", "clock-jump")
_DEADLINE_S = 100.0
_WAITING = "export BPS_STANDALONE=1; python -m tests.docs.waiting"
"""What has happened before somebody takes the last of the pages: three plans with a review."""


async def run_pages(home: Path) -> None:
    commands = [Example("bps init --standalone", 0)]
    for name in _OURS:
        found = examples(DOCS / "playbooks" / f"{name}.md")
        assert found, f"{name} has lost its commands"
        commands += [Example(_WAITING, 0), *found] if name == "merge-review" else found
    async with environment(home) as variables:
        await run_commands(commands, home, variables)


def test_the_commands_run_as_shown(tmp_path: Path) -> None:
    run(run_pages(tmp_path), deadline_s=_DEADLINE_S)


@pytest.mark.parametrize("name", _OURS)
def test_a_playbook_says_what_somebody_needs_at_night(name: str) -> None:
    text = (DOCS / "playbooks" / f"{name}.md").read_text()
    assert text.index("**Symptoms.**") < text.index("**Confirm**") < text.index("## Steps")
    assert re.findall(r"^## (?:Over when|Do not)$", text, re.M) == ["## Over when", "## Do not"]
