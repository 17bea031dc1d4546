"""Commands in this process on one memory store: directly, or through the application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bps.bootstrap import Settings
from bps.cli.remote import Remote
from bps.client import BpsClient, Target
from bps.client.transport import TIMEOUT_S
from bps.clock import SystemClock
from bps.core.ports import Store
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.service import Service
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.unit.cli.invoke import Ran, invoke
from tests.unit.http.harness import RoleGuard, token_of

URL = "http://127.0.0.1"
PRINCIPAL = "supervisor-1"
"""Who the guard of the tests takes a supervisor's token for."""


@dataclass
class Way:
    """`bps` as one user calls it."""

    env: dict[str, str | None]
    workspace: Path

    def bps(self, *arguments: str, stdin: bytes | None = None, **env: str | None) -> Ran:
        variables = {**self.env, "BPS_WORKSPACE": str(self.workspace), **env}
        return invoke(*arguments, env=variables, stdin=stdin)

    def data(self, *arguments: str, stdin: bytes | None = None) -> Any:
        ran = self.bps(*arguments, "-o", "json", stdin=stdin)
        assert ran.code == 0, (arguments, ran)
        return json.loads(ran.out)


def directly(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, store: MemoryStore | None = None
) -> Way:
    """Standalone, on a store of its own unless one is given."""
    store = store or MemoryStore(SystemClock())

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Store]:
        yield store

    monkeypatch.setattr("bps.cli.session.open_store", opened)
    return Way({"BPS_PRINCIPAL": PRINCIPAL}, workspace)


def through_the_service(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, store: MemoryStore | None = None
) -> Way:
    """With a URL and a token only; each command meets a service that has just started."""
    store = store or MemoryStore(SystemClock())

    @asynccontextmanager
    async def opened(target: Target, timeout_s: float | None = None) -> AsyncIterator[Remote]:
        async with Sidecar(store, SystemClock(), SidecarSettings("test-sidecar")) as sidecar:
            await sidecar.terms.decided()
            app = create_app(Service(sidecar, RoleGuard(), Limits()))
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            within_s = timeout_s or TIMEOUT_S
            async with BpsClient(target, transport=transport, timeout_s=within_s) as client:
                yield Remote(client)

    monkeypatch.setattr("bps.cli.remote.open_remote", opened)
    env = {
        "BPS_URL": URL,
        "BPS_TOKEN": token_of("supervisor"),
        "BPS_ETCD_ENDPOINTS": None,
        "BPS_STANDALONE": None,
    }
    return Way(env, workspace)
