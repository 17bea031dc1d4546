"""Every command of docs/events.md is run against `bps serve`, and ends as shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.asynchronous import run
from tests.docs.pages import DOCS
from tests.docs.test_api_page import served
from tests.docs.test_examples import environment, run_examples

_DEADLINE_S = 60.0


@pytest.mark.timeout(_DEADLINE_S + 30)
def test_following_events_by_curl_runs_as_shown(tmp_path: Path) -> None:
    async def page() -> None:
        async with environment(tmp_path) as variables, served(variables) as user:
            await run_examples(DOCS / "events.md", tmp_path, user)

    run(page(), deadline_s=_DEADLINE_S)
