"""docs/api.md, events.md and serve.md run as shown; the first two also after the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.asynchronous import run
from tests.docs.pages import DOCS, Example, examples, first_block
from tests.docs.test_examples import README, run_commands, user_of

_DEADLINE_S = 120.0
_API, _EVENTS = DOCS / "api.md", DOCS / "events.md"


@pytest.mark.timeout(_DEADLINE_S + 30)
@pytest.mark.parametrize(
    ("before", "pages"),
    [(first_block(README), [_API, _EVENTS]), (examples(README), [_EVENTS, _API])],
    ids=["on an empty store", "after the README"],
)
def test_the_pages_by_curl_run_as_shown(
    tmp_path: Path, before: list[Example], pages: list[Path]
) -> None:
    assert len(before) == 4 or before == examples(README)
    commands = [*before, *(each for page in pages for each in examples(page))]
    assert len(commands) > 40
    run(run_commands(commands, tmp_path, user_of(tmp_path)), deadline_s=_DEADLINE_S)


@pytest.mark.timeout(_DEADLINE_S + 30)
def test_the_example_of_client_certificates_runs_as_shown(tmp_path: Path) -> None:
    commands = examples(DOCS / "serve.md")
    assert any("--certificate-name" in each.command for each in commands)
    run(run_commands(commands, tmp_path, user_of(tmp_path)), deadline_s=_DEADLINE_S)
