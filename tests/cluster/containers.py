"""Three members as containers, driven through testcontainers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.network import Network

from tests.checkout import ROOT
from tests.cluster.free_ports import HOST, free_ports
from tests.cluster.interface import (
    CLUSTER_SIZE,
    ETCD_FLAGS,
    EtcdCluster,
    FaultFailedError,
    Member,
    await_condition,
)

_ENSURE_IMAGE = ROOT / "docker" / "etcd-cluster" / "ensure-image"
_IMAGE_TIMEOUT_S = 300.0
_ENGINE_TIMEOUT_S = 10.0
_STATE_DEADLINE_S = 10.0
_LABEL = "bps.etcd-cluster"
_LABELS = {_LABEL: "test", "bps.owner-pid": str(os.getpid())}
# Both directions at both ends: dropping one alone leaves a leader writable.
_RULES = [
    [chain, "-p", "tcp", side, "2380", "-j", "DROP"]
    for chain in ("INPUT", "OUTPUT")
    for side in ("--dport", "--sport")
]

# Members are published on loopback; the reaper's image is not ours to pull (see `_remove`).
testcontainers_config.connection_mode_override = ConnectionMode.docker_host
testcontainers_config.ryuk_disabled = True


def engine_answers() -> bool:
    """Whether a Docker client is installed and an engine answers it within a few seconds."""
    if shutil.which("docker") is None:
        return False
    with suppress(subprocess.TimeoutExpired):
        return _runs("docker", "info", timeout_s=_ENGINE_TIMEOUT_S)
    return False


def _runs(*command: str, timeout_s: float) -> bool:
    done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    return done.returncode == 0


def _image() -> str:
    done = subprocess.run(
        [_ENSURE_IMAGE], capture_output=True, timeout=_IMAGE_TIMEOUT_S, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"no etcd image: {done.stderr}")
    return done.stdout.strip()


class ContainerMember(Member):
    """One container; its data live in a volume of its own."""

    def __init__(
        self,
        name: str,
        port: int,
        launch: Callable[[str, int, str], DockerContainer],
        network: Network,
    ) -> None:
        super().__init__(name, f"{HOST}:{port}")
        self._launch = partial(launch, name, port)
        self._container = self._launch("new")
        self._network = network
        self._is_isolated = False

    @property
    def pid(self) -> int:
        return int(self._inspected().attrs["State"]["Pid"])

    @property
    def data_dir(self) -> Path:
        return Path(self._inspected().attrs["Mounts"][0]["Source"]) / "data"

    @property
    def peer_url(self) -> str:
        return f"http://{self.name}:2380"

    def start_as_new(self) -> None:
        self._inspected().remove(v=True)
        self._container = self._launch("existing")

    @property
    def is_faulty(self) -> bool:
        return self._is_isolated or self._status() != "running"

    def kill(self) -> None:
        self._inspected().kill(signal="SIGKILL")
        self._await_status("exited")

    def start(self) -> None:
        self._inspected().start()
        self._await_status("running")
        if self._is_isolated:  # the rules went away with the old network namespace
            self._drop_peer_traffic()

    def pause(self) -> None:
        self._inspected().pause()
        self._await_status("paused")

    def resume(self) -> None:
        self._inspected().unpause()
        self._await_status("running")

    def isolate(self) -> None:
        if not self._is_isolated:
            self._is_isolated = True
            self._drop_peer_traffic()

    def heal(self) -> None:
        if self._status() == "paused":
            self.resume()
        if self._is_isolated:
            self._is_isolated = False
            if not self._is_connected():
                self._docker_network().connect(self._inspected(), aliases=[self.name])
            elif self._status() == "running" and not self._iptables("-D"):
                raise FaultFailedError(f"the partition of {self.name} cannot be undone")
        if self._status() == "exited":
            self.start()

    def _drop_peer_traffic(self) -> None:
        if self._is_connected() and not self._iptables("-I"):
            # Without nsenter and iptables the client port goes too; better than no partition.
            self._docker_network().disconnect(self._inspected())

    def _iptables(self, action: str) -> bool:
        """Runs the rules in the member's network namespace, from outside; whether all worked."""
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        pid = str(self._inspected().attrs["State"]["Pid"])
        enter = [*prefix, "nsenter", "-t", pid, "-n", "iptables", action]
        with suppress(FileNotFoundError):
            return all(_runs(*enter, *rule, timeout_s=_STATE_DEADLINE_S) for rule in _RULES)
        return False

    def _inspected(self) -> Any:
        container = self._container.get_wrapped_container()
        container.reload()
        return container

    def _status(self) -> str:
        return str(self._inspected().status)

    def _await_status(self, status: str) -> None:
        await_condition(
            lambda: self._status() == status, _STATE_DEADLINE_S, f"{self.name} is not {status}"
        )

    def _docker_network(self) -> Any:
        return self._network._unwrap_network

    def _is_connected(self) -> bool:
        return self._network.name in self._inspected().attrs["NetworkSettings"]["Networks"]


class ContainerCluster(EtcdCluster):
    """Three containers in a network of their own, with client ports on loopback only."""

    mode = "containers"

    def __init__(self, flags: Sequence[str] = ()) -> None:
        remove_orphans()
        self._client = DockerClient().client
        self._flags = flags
        self._members: list[ContainerMember] = []
        try:
            self._start(_image())
        except BaseException:
            self.stop()
            raise

    def _start(self, image: str) -> None:
        self._network = Network(docker_network_kw={"labels": _LABELS}).create()
        for i, port in enumerate(free_ports(CLUSTER_SIZE)):
            launch = partial(self._launch, image)
            self._members.append(ContainerMember(f"etcd{i + 1}", port, launch, self._network))

    def _launch(self, image: str, name: str, port: int, state: str) -> DockerContainer:
        """Starts a member without data; `state` is that of the cluster, new or existing."""
        initial = ",".join(f"etcd{i + 1}=http://etcd{i + 1}:2380" for i in range(CLUSTER_SIZE))
        volume = self._client.volumes.create(labels=_LABELS)
        container = (
            DockerContainer(image)
            .with_command(
                [
                    "/usr/local/bin/etcd",
                    f"--name={name}",
                    "--data-dir=/var/lib/etcd/data",
                    "--listen-client-urls=http://0.0.0.0:2379",
                    f"--advertise-client-urls=http://{HOST}:{port}",
                    "--listen-peer-urls=http://0.0.0.0:2380",
                    f"--initial-advertise-peer-urls=http://{name}:2380",
                    f"--initial-cluster={initial}",
                    f"--initial-cluster-state={state}",
                    *ETCD_FLAGS,
                    *self._flags,
                ]
            )
            .with_network(self._network)
            .with_network_aliases(name)
            .with_volume_mapping(volume.name, "/var/lib/etcd", "rw")
            .with_kwargs(labels=_LABELS, hostname=name)
        )
        # with_bind_ports takes no address, and would publish on every interface.
        container.ports["2379/tcp"] = (HOST, port)
        container.start()
        return container

    @property
    def members(self) -> Sequence[ContainerMember]:
        return self._members

    def stop(self) -> None:
        _remove(self._client, is_ours=lambda labels: labels == _LABELS)
        self._client.close()


def remove_orphans() -> None:
    """Removes what test runs that are over left behind; other runs' clusters stay."""
    with closing(DockerClient().client) as client:
        _remove(client, is_ours=_is_orphan)


def _is_orphan(labels: dict[str, str]) -> bool:
    """Whether the test run that made it is over, however it ended."""
    try:
        os.kill(int(labels["bps.owner-pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _remove(client: Any, is_ours: Callable[[dict[str, str]], bool]) -> None:
    """Removes what test runs left behind: containers, then their volumes and networks."""
    selection = {"label": f"{_LABEL}=test"}
    for container in client.containers.list(all=True, filters=selection):
        if is_ours(_own_labels(container.labels)):
            container.remove(force=True)
    for volume in client.volumes.list(filters=selection):
        if is_ours(_own_labels(volume.attrs["Labels"])):
            volume.remove()
    for network in client.networks.list(filters=selection):
        if is_ours(_own_labels(network.attrs["Labels"])):
            network.remove()


def _own_labels(labels: dict[str, str]) -> dict[str, str]:
    return {key: labels[key] for key in _LABELS}
