"""Every curl example of the reference page is run as it is, by curl, and ends as documented."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
from typing import Any

import httpx

from bps.http.openapi import operations
from tests.asynchronous import asynchronous, eventually
from tests.integration.http.served import TOKEN, serving

_EXAMPLE = re.compile(r'<article id="(\w+)">.*?<pre class="copy">(.*?)</pre>', re.DOTALL)
FIRST = [
    *("create_initiative", "create_token", "list_tokens", "rotate_token", "revoke_token"),
    *("register_plan", "open_branch", "submit_branch", "rebase_branch", "fail_branch"),
    *("promote", "revert", "add_key", "key_statement", "rotate_key", "revoke_key"),
]
"""What makes what others show, in the order of a plan's life; the rest reads."""
ANOTHER = (
    'curl -sS -f "$BPS_URL/v1/plans/EP-42/branches" -H "Authorization: Bearer $BPS_TOKEN"'
    ' -H "Idempotency-Key: another" -H "Content-Type: application/json"'
    """ --data '{"trace_id": "trace-2", "fingerprint": "another cause"}'"""
)
"""The examples of `rebase` and `fail` name a branch of their own."""
OF_A_REVIEW = "/reviews/1"
"""Nothing is in conflict in this life of a plan; test_reviews.py has a review's life by HTTP."""
_ID_OF_EXAMPLE = "0123456789abcdef"


async def shell(command: str, url: str) -> tuple[int, str]:
    """Run by a POSIX shell with the two variables; its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", command),
        env={"PATH": os.environ["PATH"], "BPS_URL": url, "BPS_TOKEN": TOKEN},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def is_there(url: str, path: str) -> bool:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=url, trust_env=False, headers=headers) as client:
        return (await client.get(path)).status_code == httpx.codes.OK


@asynchronous
async def test_every_example_of_the_reference_runs_and_has_the_documented_status() -> None:
    async with serving() as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            document: dict[str, Any] = (await client.get("/openapi.json")).json()
            page = (await client.get("/docs")).text
        examples = {name: html.unescape(text) for name, text in _EXAMPLE.findall(page)}
        documented = {found["operationId"]: found for _, _, found in operations(document)}
        assert examples.keys() == documented.keys()
        assert set(FIRST) <= set(examples)
        made = _ID_OF_EXAMPLE
        for name in [*FIRST, *sorted(examples.keys() - set(FIRST))]:
            if name == "rebase_branch":
                assert (await shell(ANOTHER, url))[0] == 0
            if name == "show_checkpoint":
                await eventually(lambda: is_there(url, "/v1/checkpoints/1"), "a checkpoint")
            command = examples[name].replace(_ID_OF_EXAMPLE, made)
            code, printed = await shell(command + " -w '\\n%{http_code}'", url)
            body, _, status = printed.rpartition("\n")
            assert code == 0, f"{name}: {command}\n{printed}"
            assert status in documented[name]["responses"], f"{name}: {command}\n{printed}"
            nothing_there = OF_A_REVIEW in command and status == "404"
            assert nothing_there or int(status) < 400, f"{name}: {command}\n{printed}"
            if name == "create_token":
                made = json.loads(body)["id"]
