"""Atomic writes and the walls of the root, on a real disk, against real attackers and kills."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bps.core.errors import ConfigError, UnsafePath
from bps.files import Directory

LIMIT = 1_048_576

KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from bps.files import Directory

path, fatal = Path(sys.argv[1]), sys.argv[2]

def die(event, arguments):
    if event == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

with Directory.open_root(path) as root:
    found = root.read("file", limit=100)
    sys.addaudithook(die)
    root.write_atomically("file", b"new" * 100_000, replacing=found)
print("survived")
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Directory]:
    with Directory.open_root(tmp_path / "root") as opened:
        yield opened


def write(directory: Directory, name: str, data: bytes) -> bool:
    found = directory.read(name, limit=LIMIT)
    return directory.write_atomically(name, data, replacing=found)


def content(directory: Directory, name: str) -> bytes | None:
    found = directory.read(name, limit=LIMIT)
    return None if found is None else found.data


def test_a_file_is_made_and_replaced(root: Directory) -> None:
    assert content(root, "file") is None
    assert write(root, "file", b"old")
    assert write(root, "file", b"new")
    assert content(root, "file") == b"new"
    assert root.names() == ["file"]


def test_a_replaced_file_keeps_its_permissions(root: Directory) -> None:
    write(root, "file", b"old")
    (root.path / "file").chmod(0o660)
    write(root, "file", b"new")
    assert (root.path / "file").stat().st_mode & 0o777 == 0o660


def test_only_its_last_component_is_made_for_a_root(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Directory.open_root(tmp_path / "typing" / "error")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(b"mine"),
        lambda file: file.unlink(),
        lambda file: (
            file.with_name("other").write_bytes(b"old"),
            file.with_name("other").rename(file),
        ),
        lambda file: os.utime(file, ns=(1, 1)),
    ],
)
def test_a_file_that_changed_since_it_was_read_stays(
    root: Directory, change: Callable[[Path], None]
) -> None:
    write(root, "file", b"old")
    found = root.read("file", limit=LIMIT)
    assert found is not None
    change(root.path / "file")
    now = content(root, "file")
    assert not root.write_atomically("file", b"new", replacing=found)
    assert not root.remove("file", found)
    assert content(root, "file") == now
    assert all(not name.startswith(".bps-") for name in root.names())


def test_a_file_that_appeared_since_stays(root: Directory) -> None:
    (root.path / "file").write_bytes(b"mine")
    assert not root.write_atomically("file", b"new", replacing=None)
    assert content(root, "file") == b"mine"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "/etc/passwd", "a\0b"])
def test_a_name_is_one_plain_component(root: Directory, name: str) -> None:
    for act in (
        lambda: root.enter(name),
        lambda: root.read(name, limit=1),
        lambda: root.write_atomically(name, b"", replacing=None),
    ):
        with pytest.raises(UnsafePath):
            act()


def test_a_root_with_nul_or_too_long_is_a_named_error() -> None:
    with pytest.raises(UnsafePath, match="null byte"):
        Directory.open_root(Path("a\0b"))
    with pytest.raises(ConfigError, match="name too long"):
        Directory.open_root(Path("x" * 300))


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_as_file_is_refused(
    root: Directory, tmp_path: Path, *, exists: bool
) -> None:
    outside = tmp_path / "outside"
    if exists:
        outside.write_bytes(b"secret")
    (root.path / "file").symlink_to(outside)
    with pytest.raises(UnsafePath, match="symbolic link"):
        root.read("file", limit=LIMIT)
    with pytest.raises(UnsafePath, match="symbolic link"):
        root.write_atomically("file", b"new", replacing=None)
    assert outside.exists() == exists
    assert not exists or outside.read_bytes() == b"secret"
    assert root.names() == ["file"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_as_directory_is_refused(
    root: Directory, tmp_path: Path, *, exists: bool
) -> None:
    outside = tmp_path / "outside"
    if exists:
        outside.mkdir()
    (root.path / "below").symlink_to(outside)
    with pytest.raises(UnsafePath, match="symbolic link"):
        root.enter("below")
    assert outside.exists() == exists


def test_a_file_where_a_directory_belongs_is_refused(root: Directory) -> None:
    write(root, "below", b"")
    with pytest.raises(UnsafePath, match="not a directory"):
        root.enter("below")


def test_a_root_is_resolved_once(tmp_path: Path) -> None:
    first, second, link = tmp_path / "first", tmp_path / "second", tmp_path / "link"
    first.mkdir()
    second.mkdir()
    link.symlink_to(first)
    with Directory.open_root(link) as root:
        link.unlink()
        link.symlink_to(second)
        with root.enter("below") as below:
            write(below, "file", b"new")
    assert (first / "below" / "file").read_bytes() == b"new"
    assert list(second.iterdir()) == []


def test_swapping_a_directory_for_a_link_gets_nothing_out(root: Directory, tmp_path: Path) -> None:
    outside, below = tmp_path / "outside", root.path / "below"
    outside.mkdir()
    stop = threading.Event()

    def swap() -> None:
        for turn in itertools.count():
            with suppress(OSError):
                below.rename(root.path / f"aside-{turn}")
            with suppress(OSError):
                below.symlink_to(outside)
            with suppress(OSError):
                below.unlink()
            if stop.is_set():
                return

    written = links = 0
    others: set[object] = set()
    attacker = threading.Thread(target=swap)
    attacker.start()
    end_s = time.monotonic() + 30
    try:
        while (written < 20 or links < 20) and time.monotonic() < end_s:
            try:
                with root.enter("below") as entered:
                    written += write(entered, "file", b"new")
            except UnsafePath:
                links += 1
            except ConfigError as error:
                others.add(error.facts["errno"])
    finally:
        stop.set()
        attacker.join()
    assert written >= 20
    assert links >= 20, "the attack never hit the window"
    assert others <= {errno.ENOENT}
    assert list(outside.iterdir()) == []


def test_a_fifo_socket_device_or_directory_neither_hangs_nor_is_replaced(root: Directory) -> None:
    os.mkfifo(root.path / "fifo")
    (root.path / "directory").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root.path / "socket"))
        for name in ("fifo", "directory", "socket"):
            with pytest.raises(UnsafePath, match="not a regular file"):
                root.read(name, limit=LIMIT)
            with pytest.raises(UnsafePath, match="not a regular file"):
                root.write_atomically(name, b"new", replacing=None)
    with Directory.open_root(Path("/dev")) as devices, pytest.raises(UnsafePath, match="regular"):
        devices.read("zero", limit=LIMIT)


def test_a_huge_file_is_not_read(root: Directory) -> None:
    with (root.path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    found = root.read("huge", limit=LIMIT)
    assert found is not None
    assert found.data is None


@pytest.mark.parametrize("fatal", ["os.rename", "open"])
def test_kill_9_leaves_the_old_file_whole(tmp_path: Path, fatal: str) -> None:
    (tmp_path / "file").write_bytes(b"old")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, str(tmp_path), fatal], check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "file").read_bytes() == b"old"
    with Directory.open_root(tmp_path) as root:
        leftovers = [name for name in root.names() if name != "file"]
        assert len(leftovers) == (1 if fatal == "os.rename" else 0)
        root.remove_leftovers()
        assert root.names() == ["file"]


def test_kill_9_after_the_rename_leaves_the_new_file_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, str(tmp_path), "os.remove"], check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "file").read_bytes() == b"new" * 100_000


def test_only_own_leftovers_are_removed(root: Directory) -> None:
    for name in (".bps-notes", ".bps-0123456789abcdef.tmp.yaml", "x.bps-01234567.yaml"):
        write(root, name, b"mine")
    before = root.names()
    write(root, ".bps-0123456789abcdef.tmp", b"torn")
    root.remove_leftovers()
    assert root.names() == before


def test_a_full_disk_leaves_the_old_file_whole(root: Directory) -> None:
    write(root, "file", b"old")
    with _file_size_limit(4096), pytest.raises(ConfigError, match="File too large") as refused:
        write(root, "file", b"new" * 10_000)
    assert refused.value.facts["path"] == str(root.path / "file")
    assert content(root, "file") == b"old"
    assert root.names() == ["file"]


def test_a_directory_without_permission_is_a_named_error(root: Directory) -> None:
    write(root, "file", b"old")
    root.path.chmod(0o555)
    with _unprivileged():
        with pytest.raises(ConfigError, match="Permission denied"):
            write(root, "file", b"new")
        with pytest.raises(ConfigError, match="Permission denied"):
            root.enter("below")
    root.path.chmod(0o755)
    assert content(root, "file") == b"old"


def test_a_file_that_cannot_be_read_is_a_named_error(root: Directory) -> None:
    write(root, "file", b"old")
    (root.path / "file").chmod(0)
    with _unprivileged(), pytest.raises(ConfigError, match="Permission denied"):
        root.read("file", limit=LIMIT)


def test_a_file_system_that_takes_no_directories_is_a_named_error() -> None:
    with pytest.raises(ConfigError):
        Directory.open_root(Path("/proc/bps-workspace"))


def test_a_lock_is_taken_once(root: Directory) -> None:
    with Directory.open_root(root.path) as other:
        assert other.try_lock()
        assert not root.try_lock()
    assert root.try_lock()


@contextmanager
def _file_size_limit(limit_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _unprivileged() -> Iterator[None]:
    """Act as nobody where the tests run as root, who may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
