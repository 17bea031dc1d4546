"""Three members as local etcd processes, with a proxy between them that can cut one off."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bps.store.etcd_program import find_etcd
from bps.store.parent_bound_exec import parent_bound_command
from tests.checkout import ROOT
from tests.cluster.free_ports import HOST, free_ports
from tests.cluster.interface import CLUSTER_SIZE, ETCD_FLAGS, EtcdCluster, FaultFailedError, Member
from tests.cluster.peer_proxy import PeerProxy

_STAGE_BINARIES = ROOT / "docker" / "etcd-cluster" / "stage-binaries"
_STAGE_TIMEOUT_S = 120.0
_LOG_LINES_SHOWN = 15


def newest_etcd() -> Path:
    """$BPS_ETCD_BIN; else what stage-binaries has or gets; else as for the embedded etcd."""
    if "BPS_ETCD_BIN" not in os.environ:
        staged = subprocess.run(
            [_STAGE_BINARIES],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_STAGE_TIMEOUT_S,
            text=True,
            check=False,
        )
        if staged.returncode == 0:
            return Path(staged.stdout.strip()) / "bin" / "etcd"
    return find_etcd()


class ProcessMember(Member):
    """An etcd process that dies with this one."""

    def __init__(
        self,
        index: int,
        endpoint: str,
        command: Sequence[str],
        proxy: PeerProxy,
        *,
        data_dir: Path,
    ) -> None:
        super().__init__(f"etcd{index + 1}", endpoint)
        self._index = index
        self._command = [*command, f"--data-dir={data_dir}"]
        self._joins = "new"
        self._data_dir = data_dir
        self._log = data_dir.with_suffix(".log")
        self._proxy = proxy
        self._is_paused = False
        self._process = self._spawn()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def data_dir(self) -> Path:
        return self._data_dir

    @property
    def peer_url(self) -> str:
        return f"http://{HOST}:{self._proxy.ports[self._index]}"

    def start_as_new(self) -> None:
        shutil.rmtree(self._data_dir)
        self._joins = "existing"
        self.start()

    @property
    def is_faulty(self) -> bool:
        return self._is_paused or self._is_dead or self._proxy.is_isolated(self._index)

    @property
    def _is_dead(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        self._process.kill()
        with self._process:
            self._process.wait()
        self._is_paused = False

    def start(self) -> None:
        if not self._is_dead:
            raise FaultFailedError(f"{self.name} runs already")
        self._process = self._spawn()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            raise FaultFailedError(f"{self.name} ended instead of being paused")
        self._is_paused = True

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        self._is_paused = False

    def isolate(self) -> None:
        self._proxy.isolate(self._index)

    def heal(self) -> None:
        self._proxy.heal(self._index)
        if self._is_paused:
            self.resume()
        if self._is_dead:
            self.start()

    def log_tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ETCD_")}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                parent_bound_command([*self._command, f"--initial-cluster-state={self._joins}"]),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )


class ProcessCluster(EtcdCluster):
    """Three processes; isolating a member needs Linux."""

    mode = "processes"

    def __init__(self, flags: Sequence[str] = ()) -> None:
        program = newest_etcd()
        self._directory = Path(tempfile.mkdtemp(prefix="bps-cluster-"))
        self._members: list[ProcessMember] = []
        ports = free_ports(2 * CLUSTER_SIZE)
        client_ports, peer_ports = ports[:CLUSTER_SIZE], ports[CLUSTER_SIZE:]
        self._proxy = PeerProxy(peer_ports, lambda: [member.pid for member in self._members])
        peer_urls = [f"http://{HOST}:{port}" for port in self._proxy.ports]
        initial = ",".join(f"etcd{i + 1}={url}" for i, url in enumerate(peer_urls))
        for i in range(CLUSTER_SIZE):
            endpoint = f"{HOST}:{client_ports[i]}"
            command = [
                str(program),
                f"--name=etcd{i + 1}",
                f"--listen-client-urls=http://{endpoint}",
                f"--advertise-client-urls=http://{endpoint}",
                f"--listen-peer-urls=http://{HOST}:{peer_ports[i]}",
                f"--initial-advertise-peer-urls={peer_urls[i]}",
                f"--initial-cluster={initial}",
                *ETCD_FLAGS,
                *flags,
            ]
            data = self._directory / str(i)
            self._members.append(ProcessMember(i, endpoint, command, self._proxy, data_dir=data))

    @property
    def members(self) -> Sequence[ProcessMember]:
        return self._members

    def stop(self) -> None:
        for member in self._members:
            member.kill()
        self._proxy.close()
        shutil.rmtree(self._directory)
