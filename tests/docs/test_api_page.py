"""Every command of docs/api.md is run against `bps serve`, and ends as shown."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.asynchronous import run
from tests.docs.pages import DOCS
from tests.docs.test_examples import environment, run_examples

_DEADLINE_S = 60.0
_URL = re.compile(r"http://127\.0\.0\.1:\d+")


@asynccontextmanager
async def served(variables: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """The environment of a user of a service that this test runs: its URL and a token."""
    bps = (sys.executable, "-m", "bps.cli")
    init = await asyncio.create_subprocess_exec(
        *(*bps, "init", "--standalone", "-o", "json"),
        env=variables,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await init.communicate()
    token = json.loads(out)["secret"]
    serve = await asyncio.create_subprocess_exec(
        *(*bps, "serve", "--port", "0"), env=variables, stderr=asyncio.subprocess.PIPE
    )
    assert serve.stderr is not None
    try:
        url = None
        while url is None and (line := await serve.stderr.readline()):
            url = _URL.search(line.decode())
        assert url is not None, "the service did not say its URL"
        drained = asyncio.create_task(serve.stderr.read())
        yield {**variables, "BPS_URL": url[0], "BPS_TOKEN": token}
    finally:
        serve.send_signal(signal.SIGTERM)
        code = await serve.wait()
    await drained
    assert code == 0


@pytest.mark.timeout(_DEADLINE_S + 30)
def test_the_life_of_a_plan_by_curl_runs_as_shown(tmp_path: Path) -> None:
    async def page() -> None:
        async with environment(tmp_path) as variables, served(variables) as user:
            await run_examples(DOCS / "api.md", tmp_path, user)

    run(page(), deadline_s=_DEADLINE_S)
