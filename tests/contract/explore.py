"""Schemathesis against the running service: `python -m tests.contract.explore SEED BUDGET_S`."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.checkout import VARIABLE, python_path
from tests.contract.hooks import KNOWN_PLAN
from tests.contract.service import InThread, Running, in_thread

_HERE = Path(__file__).parent
_OVERHEAD_S = 60


@dataclass(frozen=True, slots=True)
class Explored:
    """What came of it; `wrote` tells that requests got through to the store."""

    exit_code: int
    report: str
    wrote: bool


def explore(seed: int, budget_s: int) -> Explored:
    """Run all phases and checks for at most `budget_s`; then prove that the log still holds."""
    with in_thread() as served:
        served.run(_set_up(served.service))
        before = served.service.revision
        exit_code, report = _schemathesis(served, seed, budget_s)
        served.run(_prove(served.service))
        return Explored(exit_code, report, served.service.revision > before)


def _schemathesis(served: InThread, seed: int, budget_s: int) -> tuple[int, str]:
    command = Path(sys.executable).with_name("schemathesis")
    url = served.service.url
    options = ("--seed", str(seed), "--max-time", str(budget_s), "--no-color")
    bearer = f"Authorization: Bearer {served.service.token}"
    with tempfile.TemporaryDirectory() as directory:
        ended = subprocess.run(
            [
                *(command, "--config-file", _HERE / "schemathesis.toml"),
                *("run", f"{url}/openapi.json", "-H", bearer, *options),
            ],
            env={
                **os.environ,
                "CONTRACT_CREDENTIAL": served.service.token.split("_")[1],
                "SCHEMATHESIS_HOOKS": "tests.contract.hooks",
                VARIABLE: python_path(),
            },
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=budget_s + _OVERHEAD_S,
            check=False,
        )
    return ended.returncode, ended.stdout


async def _set_up(service: Running) -> None:
    """A plan with a branch, as the examples of the document name them."""
    async with service.client() as client:
        yaml = {"Content-Type": "application/yaml"}
        plan = f"/v1/plans/{KNOWN_PLAN}"
        registered = await client.put(
            plan, content=b"title: v1\n", headers={**yaml, "Idempotency-Key": "set-up-1"}
        )
        registered.raise_for_status()
        opened = await client.post(
            f"{plan}/branches",
            json={"trace_id": "trace-1", "fingerprint": "gateway timeout is too long"},
            headers={"Idempotency-Key": "set-up-2"},
        )
        opened.raise_for_status()


async def _prove(service: Running) -> None:
    """Whatever came, each log verifies and its replay gives the stored state."""
    async with service.client() as client:
        plans = (await client.get("/v1/plans", params={"limit": "500"})).raise_for_status().json()
        assert plans["items"]
        for each in plans["items"]:
            for proof in ("verification", "replay"):
                answer = await client.get(f"/v1/plans/{each['plan']}/{proof}")
                assert answer.status_code == 200, answer.text


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    found = explore(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(found.report)
    sys.exit(found.exit_code)
