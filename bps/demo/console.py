"""Running `bps` as a user would, and telling only what was checked."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import orjson

from bps.core.errors import ClaimFailed

PLAN = "EP-42"


class Console:
    """Runs commands against one etcd, their files below `directory`, and prints the story."""

    def __init__(self, endpoint: str, directory: Path) -> None:
        self.endpoint = endpoint
        self.workspace = directory / "workspace"
        self._signing_key = directory / "signing-key.pem"
        self._started_s = time.monotonic()
        self.claims = 0

    def tell(self, text: str) -> None:
        """One line of the story."""
        elapsed_s = time.monotonic() - self._started_s
        sys.stdout.write(f"{elapsed_s:5.1f} s  {text}\n")
        sys.stdout.flush()

    def claim(self, text: str, *, holds: bool, seen: object = "") -> None:
        """A line that is printed only if it was checked.

        Raises:
            ClaimFailed: it does not hold.
        """
        if not holds:
            raise ClaimFailed(f"Not true: {text}. Seen: {seen}")
        self.claims += 1
        self.tell(f"  ok  {text}")

    async def bps(self, *arguments: str, expect: int = 0) -> Any:  # noqa: ANN401 - any JSON
        """Run `bps ARGUMENTS -o json`; what it printed: its data, or its problem (RFC 9457).

        Raises:
            ClaimFailed: its exit code is not `expect`.
        """
        self.tell("$ bps " + shlex.join(arguments))
        process = await self.start(*arguments)
        out, err = await process.communicate()
        if process.returncode != expect:
            msg = f"bps {shlex.join(arguments)} exits {expect}"
            raise ClaimFailed(f"Not true: {msg}. Seen: {process.returncode}, {err.decode()}")
        try:
            return orjson.loads(err[err.find(b"{") :] if expect else out)
        except orjson.JSONDecodeError:
            msg = f"bps {shlex.join(arguments)} prints JSON"
            raise ClaimFailed(f"Not true: {msg}. Seen: {(out or err).decode()}") from None

    async def start(
        self, *arguments: str, endpoint: str | None = None
    ) -> asyncio.subprocess.Process:
        """Start `bps ARGUMENTS -o json` without waiting for it."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BPS_")},
            "BPS_ETCD_ENDPOINTS": endpoint or self.endpoint,
            "BPS_WORKSPACE": str(self.workspace),
            "BPS_SIGNING_KEY_FILE": str(self._signing_key),
            "BPS_STANDALONE": "1",
            "BPS_LEASE_TTL_S": "2",
            "BPS_ALLOW_OLD_ETCD": "1",
            "BPS_PRINCIPAL": "demo",
        }
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bps.cli", *arguments, "-o", "json"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    def edit_fork(self, rr_plan: str, before: str, after: str) -> None:
        """Change one place in an RR-plan's fork, as an agent does. Raises ClaimFailed."""
        n = rr_plan.rpartition("-")[2]
        path = self.workspace / PLAN / rr_plan / f"blueprint_v{n}.yaml"
        if not path.is_file():
            raise ClaimFailed(f"Not true: {path.name} of {rr_plan} is in the workspace.")
        text = path.read_text()
        if text.count(before) != 1:
            raise ClaimFailed(f"Not true: {path.name} holds {before!r} once.")
        path.write_text(text.replace(before, after))
        self.tell(f"agent edits {path.name} of {rr_plan}: {before.strip()!r}")
