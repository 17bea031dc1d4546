"""Every curl example of the reference page is run as it is, by curl, and ends as documented."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
from hashlib import sha1
from itertools import count
from typing import Any

import httpx
import pytest

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
OF_REVIEWS = (
    (
        "list_reviews",
        "claim_review",
        "resolve_review",
        "show_review",
        "release_review",
        "complete_review",
    ),
    ("reject_review",),
)
"""Lives of a review, each in a plan of its own."""
BRANCH, OTHER = (
    sha1(f"trace-{number}".encode(), usedforsecurity=False).hexdigest() for number in (1, 2)
)
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


class Reference:
    """The examples of the page, and the statuses that each may end with."""

    def __init__(self, page: str, document: dict[str, Any]) -> None:
        self.examples = {name: html.unescape(text) for name, text in _EXAMPLE.findall(page)}
        self.documented = {found["operationId"]: found for _, _, found in operations(document)}

    @classmethod
    async def of(cls, url: str) -> Reference:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            return cls((await client.get("/docs")).text, (await client.get("/openapi.json")).json())

    async def run(self, name: str, url: str, made: str = _ID_OF_EXAMPLE) -> str:
        """Its answer's body; `made` is put in for the id that examples have."""
        command = self.examples[name].replace(_ID_OF_EXAMPLE, made)
        code, printed = await shell(command + " -w '\\n%{http_code}'", url)
        body, _, status = printed.rpartition("\n")
        assert code == 0, f"{name}: {command}\n{printed}"
        assert status in self.documented[name]["responses"], f"{name}: {command}\n{printed}"
        assert int(status) < 400, f"{name}: {command}\n{printed}"
        return body


@asynchronous
async def test_every_example_of_the_reference_runs_and_has_the_documented_status() -> None:
    async with serving() as url:
        reference = await Reference.of(url)
        every = reference.examples.keys()
        assert every == reference.documented.keys()
        of_reviews = {name for name in every if "/reviews/EP-42-RV1" in reference.examples[name]}
        assert of_reviews < {name for life in OF_REVIEWS for name in life}
        assert set(FIRST) <= every
        made = _ID_OF_EXAMPLE
        for name in [*FIRST, *sorted(every - set(FIRST) - of_reviews)]:
            if name == "rebase_branch":
                assert (await shell(ANOTHER, url))[0] == 0
            if name == "show_checkpoint":
                await eventually(lambda: is_there(url, "/v1/checkpoints/1"), "a checkpoint")
            body = await reference.run(name, url, made)
            if name == "create_token":
                made = json.loads(body)["id"]


@pytest.mark.parametrize("life", OF_REVIEWS)
@asynchronous
async def test_every_example_of_a_review_runs_on_a_review(life: tuple[str, ...]) -> None:
    async with serving() as url:
        reference = await Reference.of(url)
        await contested(url)
        for name in life:
            await reference.run(name, url)


async def contested(url: str) -> None:
    """The examples' plan, whose review has a conflict of canonical and the examples' branch."""
    plan, numbers = "/v1/plans/EP-42", count()
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:

        async def write(method: str, path: str, status: int, **options: Any) -> None:
            headers = {
                "Authorization": f"Bearer {TOKEN}",
                "Idempotency-Key": f"made-{next(numbers)}",
                **options.pop("headers", {}),
            }
            answer = await client.request(method, f"{plan}{path}", headers=headers, **options)
            assert answer.status_code == status, answer.text

        yaml = {"Content-Type": "application/yaml"}
        blueprint = "tasks:\n  - id: charge\n    timeout_ms: {}\n"
        await write("PUT", "", 201, content=blueprint.format(900), headers=yaml)
        for number in (1, 2):
            report = {"trace_id": f"trace-{number}", "fingerprint": f"cause {number}"}
            await write("POST", "/branches", 201, json=report)
        for branch, timeout_ms, status in ((f"br{OTHER}", 1_000, 201), (f"br{BRANCH}", 2_000, 409)):
            text = blueprint.format(timeout_ms)
            await write("POST", f"/branches/{branch}/submission", 200, content=text, headers=yaml)
            await write("POST", "/promotions", status, json={"branches": [branch]})
