"""Two sidecars with mirrors on one etcd: one is killed, the other takes over, no false alarm."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bps.checkpoints.model import Checkpoint
from bps.core import keys
from bps.store.etcd.store import EtcdStore
from tests.asynchronous import run
from tests.integration.http.serving import Serving, bps, environment, etcd_for_services, serving

DEADLINE_S = 20.0
LEADS, STANDS_BY, CREATED = 200, 503, 201


@pytest.fixture(scope="module")
def etcd() -> Iterator[str]:
    with etcd_for_services() as endpoint:
        yield endpoint


def config_of(directory: Path, name: str, etcd: str) -> str:
    directory.mkdir(exist_ok=True)
    file = directory / "service.toml"
    file.write_text(
        f'[etcd]\nendpoints = ["{etcd}"]\nallow_old = true\n[sidecar]\nname = "{name}"\n'
        'lease_ttl_s = 3\nmirror_dir = "mirror"\nsigning_key_file = "key.pem"\n'
        'first_token_file = "operator-token"\n'
    )
    return str(file)


def until(condition: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s, f"still not: {what}"
        time.sleep(0.05)


def checkpoints(etcd: str) -> list[Checkpoint]:
    async def read() -> list[Checkpoint]:
        async with EtcdStore((etcd,)) as store:
            end = keys.after_prefix(keys.CHECKPOINTS)
            page = await store.page(keys.CHECKPOINTS, end, limit=1_000)
            return [Checkpoint.decode(kv.value) for kv in page.kvs]

    return run(read())


def get(service: Serving, path: str, token: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{service.url}{path}", headers=headers, trust_env=False)


def rows(service: Serving, token: str) -> dict[str, dict[str, Any]]:
    return {row["check"]: row for row in get(service, "/v1/doctor", token).json()}


def register_plan(service: Serving, token: str) -> httpx.Response:
    return httpx.put(
        f"{service.url}/v1/plans/EP-1?initiative=default&title=x",
        content=b"title: Checkout service\n",
        headers={
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": "k-1",
            "Content-Type": "application/yaml",
        },
        trust_env=False,
    )


def key_id(directory: Path, env: dict[str, str]) -> str:
    shown = bps("keys", "public", str(directory / "key.pem"), "-o", "json", env=env).stdout
    found: str = json.loads(shown)["key_id"]
    return found


def test_a_standby_takes_over_and_both_mirrors_follow(etcd: str, tmp_path: Path) -> None:
    env, one_dir, two_dir = environment(tmp_path), tmp_path / "one", tmp_path / "two"
    one_config, two_config = config_of(one_dir, "one", etcd), config_of(two_dir, "two", etcd)
    with serving("--config", one_config, env=env) as one:
        token = (one_dir / "operator-token").read_text().strip()
        with serving("--config", two_config, env=env) as two:
            assert get(one, "/leaderz").status_code == LEADS
            refused = get(two, "/leaderz")
            assert (refused.status_code, refused.json()["code"]) == (STANDS_BY, "NOT_LEADER")
            assert f"one leads at {one.url}; write there." in refused.json()["detail"]
            assert get(two, "/readyz?verbose").json()["leader_url"] == one.url
            elsewhere = register_plan(two, token)
            assert elsewhere.json()["facts"]["url"] == one.url
            assert elsewhere.headers["Retry-After"]
            beside = bps(
                *("--etcd", etcd, "token", "create", "agent-2", "--role", "agent"),
                *("--standalone", "-o", "json"),
                env={**env, "BPS_CAMPAIGN_S": "1"},
                check=False,
            )
            problem = json.loads(beside.stderr)
            assert f"The sidecar one leads at {one.url}" in problem["detail"]
            assert problem["next_action"] == (
                f"Use the service (`--url {one.url}`), or stop all sidecars first."
            )
            again = bps("--etcd", etcd, "init", "--standalone", "-o", "json", env=env)
            assert json.loads(again.stdout)["secret"] is None

            both = {key_id(one_dir, env), key_id(two_dir, env)}
            until(
                lambda: {key for each in checkpoints(etcd) for key in each.keys} >= both,
                "both keys are covered",
            )
            last, port = checkpoints(etcd)[-1].seq, str(one.address[1])
            one.end(signal.SIGKILL)
            until(lambda: get(two, "/leaderz").status_code == LEADS, "the other one leads")
            assert register_plan(two, token).status_code == CREATED
            until(lambda: checkpoints(etcd)[-1].seq > last, "the new leader signs")
            assert checkpoints(etcd)[-1].key_id == key_id(two_dir, env)
            # At another address it would wait for what it said of itself before to go, 15 s.
            with serving("--config", one_config, "--port", port, env=env) as back:
                want = f"mirror: checkpoint {checkpoints(etcd)[-1].seq}, agrees"
                until(lambda: rows(two, token)["mirror"]["detail"] == want, want)
                until(lambda: rows(back, token)["mirror"]["detail"] == want, want)
                assert rows(two, token)["signing key"]["status"] == "ok"
                assert rows(back, token)["signing key"]["status"] == "ok"
                assert back.end() == 0
            assert two.end() == 0
            told = {line["event"]: line for line in two.lines}
            assert {"draining", "stopped"} <= told.keys()
            assert told["stopped"]["after_s"] < 5
            assert not [line for line in two.lines if line["level"] == "warning"]
