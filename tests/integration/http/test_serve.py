"""`bps serve`: start, readiness, drain and exit codes, with real processes."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bps.core import keys
from bps.core.ports import Key
from bps.store.etcd.store import EtcdStore
from tests.asynchronous import HANGS_S, run
from tests.checkout import SAMPLES
from tests.integration.http.serving import (
    Serving,
    bps,
    environment,
    etcd_for_services,
    serving,
    started,
)

MAX_DRAIN_S = 5.0


@pytest.fixture(scope="module")
def etcd() -> Iterator[str]:
    with etcd_for_services() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def secret(etcd: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The first operator's token, on that etcd."""
    env = environment(tmp_path_factory.mktemp("init"), etcd)
    made: str = json.loads(bps("init", "--standalone", "-o", "json", env=env).stdout)["secret"]
    return made


def config_of(directory: Path, text: str) -> str:
    path = directory / "service.toml"
    path.write_text(text)
    return str(path)


def leads(endpoint: str) -> bool:
    """Whether somebody holds the leadership."""

    async def ask() -> bool:
        async with EtcdStore((endpoint,)) as store:
            return bool((await store.snapshot([Key(keys.LEADER_HOLDER)])).answers[0])

    return run(ask())


def test_it_is_soon_ready_and_says_where(etcd: str, tmp_path: Path) -> None:
    with serving(env=environment(tmp_path, etcd)) as service:
        # 2 s is the figure, on a machine that does nothing else (`make bench`).
        assert service.ready_after_s < 6.0
        assert service.url.startswith("http://127.0.0.1:")
        with httpx.Client(base_url=service.url, trust_env=False) as client:
            assert client.get("/livez").json() == {"alive": True}
            ready = client.get("/readyz?verbose")
            missing = client.get("/v1/nothing")
        assert ready.status_code == 200
        found = ready.json()
        assert found["mode"] == "READ_WRITE"
        assert found["feed_warm"] is True
        assert found["leader"]
        assert "server" not in ready.headers
        assert missing.json()["code"] == "ROUTE_NOT_FOUND"
        assert leads(etcd)
        assert service.end() == 0
    assert not leads(etcd)
    requests = [line for line in service.lines if line["event"] == "request"]
    assert [line["route"] for line in requests] == ["/livez", "/readyz", None]
    assert requests[2]["trace_id"] == missing.json()["trace_id"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_time_although_a_client_never_reads(
    etcd: str, tmp_path: Path, number: int
) -> None:
    # 5 s are promised with the default, 2 s longer: what is left over is for a busy machine.
    config = config_of(tmp_path, "[sidecar]\nlease_ttl_s = 120\n[limits]\ndrain_s = 1\n")
    with (
        serving("--config", config, env=environment(tmp_path, etcd)) as service,
        socket.create_connection(service.address) as deaf,
        socket.create_connection(service.address) as idle,
    ):
        idle.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.recv(4_096)
        ask_without_reading(deaf)
        begun_s = time.monotonic()
        assert service.end(number) == 0
        assert time.monotonic() - begun_s < MAX_DRAIN_S
    # The lease would have outlived the process for two minutes.
    assert not leads(etcd)


def test_a_write_under_way_is_answered_and_is_in_etcd(
    etcd: str, secret: str, tmp_path: Path
) -> None:
    env = environment(tmp_path, etcd)
    blueprint = next(SAMPLES.glob("*.yaml")).read_bytes()
    head = (
        f"PUT /v1/plans/EP-77?initiative=default&title=x HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {secret}\r\nIdempotency-Key: drain-1\r\n"
        f"Content-Type: application/yaml\r\nContent-Length: {len(blueprint)}\r\n\r\n"
    ).encode()
    with serving(env=env) as service, socket.create_connection(service.address) as client:
        client.sendall(head + blueprint[:10])
        wait_until_admitted(service)
        service.process.send_signal(signal.SIGTERM)
        wait_until_refused(service)
        client.sendall(blueprint[10:])
        answer = client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 201 "), answer
        assert b"connection: close" in answer
        assert service.wait() == 0
        assert secret not in json.dumps(service.lines)
    shown = json.loads(bps("plan", "show", "EP-77", "-o", "json", env=env).stdout)
    assert shown["plan"] == "EP-77"


def wait_until_admitted(service: Serving) -> None:
    """Another connection's answer: what came before it on another one has been read too."""
    httpx.get(service.url + "/livez", trust_env=False)


def wait_until_refused(service: Serving) -> None:
    """The drain has begun: nothing new is accepted."""
    end_s = time.monotonic() + HANGS_S
    while time.monotonic() < end_s:
        try:
            socket.create_connection(service.address, timeout=1).close()
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail("it still takes connections")


def test_a_stream_is_told_that_the_service_ends(etcd: str, secret: str, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"}
    with (
        serving(env=environment(tmp_path, etcd)) as service,
        httpx.Client(trust_env=False, timeout=10) as client,
        client.stream("GET", service.url + "/v1/events", headers=headers) as stream,
    ):
        assert stream.status_code == 200
        pieces = stream.iter_text()
        seen = next(pieces)
        service.process.send_signal(signal.SIGTERM)
        seen += "".join(pieces)
        assert seen.rstrip().endswith(": draining")
        assert service.wait() == 0


def test_a_second_signal_ends_it_at_once(etcd: str, tmp_path: Path) -> None:
    with (
        serving(env=environment(tmp_path, etcd)) as service,
        socket.create_connection(service.address) as deaf,
    ):
        ask_without_reading(deaf)
        service.process.send_signal(signal.SIGTERM)
        wait_until_refused(service)
        begun_s = time.monotonic()
        assert service.end(signal.SIGTERM) == 130
        assert time.monotonic() - begun_s < 2


def ask_without_reading(deaf: socket.socket) -> None:
    """More than the buffers on the way hold, so that the answers stay with the service."""
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    deaf.settimeout(0.5)
    with suppress(TimeoutError):
        for _ in range(2_000):
            deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")


def test_what_cannot_be_served_is_refused_by_name(tmp_path: Path) -> None:
    env = environment(tmp_path)
    wrong = config_of(tmp_path, '[listen]\nports = 1\nhost = "secret-host"\n')
    public = ["--embedded", "--host", "0.0.0.0"]  # noqa: S104 - it is refused
    for arguments, told in (
        ([], "No etcd is named"),
        (["--config", str(tmp_path / "none.toml")], "is not there"),
        (["--config", wrong], "listen.ports is unknown"),
        (public, "Without TLS"),
    ):
        done = bps("serve", *arguments, env=env, check=False)
        assert done.returncode == 2, done
        assert told in done.stderr
        assert "Traceback" not in done.stderr
        assert str(tmp_path) not in done.stderr


def test_a_store_that_cannot_be_watched_serves_nobody(tmp_path: Path) -> None:
    gateway = ("--store", "gateway", "--etcd", "127.0.0.1:1")
    done = bps(*gateway, "serve", env=environment(tmp_path), check=False)
    assert (done.returncode, "CAPABILITY_MISSING" in done.stderr) == (2, True), done
    assert "GatewayStore cannot do `watch`" in done.stderr


def test_an_etcd_that_does_not_answer_is_exit_75(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{probe.getsockname()[1]}"
        done = bps("serve", "--port", "0", env=environment(tmp_path, endpoint), check=False)
    assert done.returncode == 75, done
    assert "Traceback" not in done.stderr


def test_a_signal_while_it_starts_ends_it_at_once(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        env = environment(tmp_path, f"127.0.0.1:{silent.getsockname()[1]}")
        with started(env) as process:
            # It has connected, and gets no answer.
            silent.settimeout(20)
            silent.accept()[0].close()
            begun_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(HANGS_S) == 130
            assert time.monotonic() - begun_s < 2
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
