"""The scripts of docker/etcd-cluster, run on a real engine as a person runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.cluster.containers import engine_answers
from tests.cluster.free_ports import free_ports
from tests.cluster.gateway import call, is_healthy
from tests.cluster.interface import await_condition

SCRIPTS = ROOT / "docker" / "etcd-cluster"
ALL = sorted(p.name for p in SCRIPTS.iterdir() if os.access(p, os.X_OK) and p.is_file())
FAULTS = {"kill", "pause", "resume", "partition"}
IMAGE_STEPS = {"build-image", "ensure-image", "stage-binaries"}
SCRIPT_NAMES = {"up", "down", "heal", *FAULTS, *IMAGE_STEPS}
_TIMEOUT_S = 110.0
_PROBE_TIMEOUT_S = 1.0
_ELECTION_DEADLINE_S = 10.0


def compose_is_here() -> bool:
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return plugin.returncode == 0 or shutil.which("docker-compose") is not None


needs_engine = pytest.mark.skipif(
    not engine_answers() or not compose_is_here(),
    reason="the scripts need a Docker engine that answers, and compose",
)


def run(*command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / command[0], *command[1:]],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def succeed(*command: str) -> str:
    done = run(*command)
    assert done.returncode == 0, done.stderr
    return done.stderr


def fail(*command: str) -> str:
    done = run(*command)
    assert done.returncode == 1
    return done.stderr


def running_already() -> bool:
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", "label=bps.etcd-cluster=compose"],
        capture_output=True,
        text=True,
        check=True,
    )
    return bool(listed.stdout.strip())


@pytest.fixture(scope="module")
def ports() -> Iterator[list[int]]:
    if running_already():
        pytest.skip("a cluster of docker/etcd-cluster exists, and its data are yours; ./down first")
    chosen = free_ports(3)
    variables = {f"BPS_ETCD_PORT_{n}": str(port) for n, port in enumerate(chosen, 1)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        try:
            succeed("up")
            yield chosen
        finally:
            succeed("down", "--volumes")


def answers(port: int) -> bool:
    return is_healthy(f"127.0.0.1:{port}", _PROBE_TIMEOUT_S)


def await_answer(port: int) -> None:
    """The fault may have hit the leader: then a new one is elected first."""
    await_condition(lambda: answers(port), _ELECTION_DEADLINE_S, f"port {port} does not answer")


def test_every_script_explains_itself() -> None:
    assert set(ALL) == SCRIPT_NAMES
    for script in ALL:
        done = run(script, "--help")
        assert done.returncode == 0
        assert done.stdout.startswith(f"Usage: {script}"), script


@pytest.mark.parametrize("script", sorted(FAULTS))
@pytest.mark.parametrize("member", ["", "0", "4", "x"])
def test_a_wrong_member_is_named(script: str, member: str) -> None:
    assert f"error: BAD_MEMBER: the member must be 1, 2 or 3, not '{member}'" in fail(
        script, member
    )


def test_staging_falls_back_to_the_python_package_where_no_debian_suite_answers(
    tmp_path: Path,
) -> None:
    no_network = tmp_path / "bin" / "apt-get"
    no_network.parent.mkdir()
    no_network.write_text("#!/bin/sh\nexit 100\n")
    no_network.chmod(0o755)
    environment = {
        "PATH": f"{no_network.parent}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    staged = Path(run("stage-binaries", env=environment).stdout.strip())
    version = subprocess.run(
        [staged / "bin" / "etcd", "--version"], capture_output=True, text=True, check=True
    )
    assert f"etcd Version: {(staged / 'VERSION').read_text()}" in version.stdout


def test_a_missing_engine_is_named() -> None:
    done = run("up", env={"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
    assert done.returncode == 1
    assert "error: NO_ENGINE" in done.stderr or "error: NO_DOCKER" in done.stderr


@needs_engine
def test_up_publishes_on_loopback_only(ports: list[int]) -> None:
    assert all(answers(port) for port in ports)
    for n, port in enumerate(ports, 1):
        published = subprocess.run(
            ["docker", "port", f"bps-etcd-{n}"], capture_output=True, text=True, check=True
        )
        assert published.stdout.strip() == f"2379/tcp -> 127.0.0.1:{port}"


@needs_engine
def test_kill_and_heal(ports: list[int]) -> None:
    succeed("kill", "1")
    assert not answers(ports[0])
    await_answer(ports[1])
    assert "error: NOT_RUNNING: member 1 is exited" in fail("kill", "1")
    succeed("heal")
    assert answers(ports[0])


@needs_engine
def test_pause_and_resume(ports: list[int]) -> None:
    succeed("pause", "2")
    assert not answers(ports[1])
    assert "error: NOT_RUNNING: member 2 is paused" in fail("pause", "2")
    succeed("resume", "2")
    assert "error: NOT_PAUSED" in fail("resume", "2")
    succeed("heal")
    assert answers(ports[1])


@needs_engine
def test_partition_cuts_one_member_off_and_heal_joins_it_again(ports: list[int]) -> None:
    assert "member 3 is cut off" in succeed("partition", "3")
    assert not answers(ports[2])
    await_answer(ports[0])
    succeed("heal")
    assert all(answers(port) for port in ports)


@needs_engine
def test_partition_without_nsenter_disconnects_the_member(ports: list[int], tmp_path: Path) -> None:
    nsenter = tmp_path / "nsenter"
    nsenter.write_text("#!/bin/sh\nexit 1\n")
    nsenter.chmod(0o755)
    done = run("partition", "3", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert "disconnected from network bps-etcd" in done.stderr
    assert not answers(ports[2])
    succeed("heal")
    assert all(answers(port) for port in ports)


@needs_engine
def test_heal_undoes_every_fault_at_once(ports: list[int]) -> None:
    succeed("partition", "1")
    succeed("pause", "2")
    succeed("kill", "3")
    succeed("heal")
    assert all(answers(port) for port in ports)


@needs_engine
def test_data_survive_down_and_up(ports: list[int]) -> None:
    endpoint = f"127.0.0.1:{ports[0]}"
    call(endpoint, "/v3/kv/put", {"key": "YQ==", "value": "MQ=="})
    succeed("down")
    assert "error: NO_CLUSTER" in fail("kill", "1")
    succeed("up")
    assert call(endpoint, "/v3/kv/range", {"key": "YQ=="})["kvs"][0]["value"] == "MQ=="
