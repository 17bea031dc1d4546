"""Private keys in files: made for their owner alone, and refused where others could read them."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bps.core.errors import ConfigError
from bps.keyring.private_key import make_private_key, read_or_make_private_key, read_private_key
from bps.keyring.public_key import PublicKey


def ssh_keygen(path: Path, *options: str, passphrase: str = "") -> PublicKey:
    subprocess.run(
        ["ssh-keygen", "-q", "-N", passphrase, "-C", "alice", "-f", path, *options], check=True
    )
    return PublicKey(b"") if "rsa" in options else PublicKey.parse(Path(f"{path}.pub").read_text())


def test_a_key_of_ssh_keygen_signs_as_its_public_half_says(tmp_path: Path) -> None:
    public = ssh_keygen(tmp_path / "id", "-t", "ed25519")
    key = read_private_key(tmp_path / "id")
    assert key.public.raw == public.raw
    assert public.verifies(key.sign(b"text"), b"text")
    assert not public.verifies(key.sign(b"text"), b"another")


def test_a_passphrase_is_needed_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    made = Ed25519PrivateKey.generate()
    encryption = serialization.BestAvailableEncryption(b"open sesame")
    path.write_bytes(
        made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
    )
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="needs a passphrase"):
        read_private_key(path)
    with pytest.raises(ConfigError, match="another passphrase"):
        read_private_key(path, lambda: b"wrong")
    read = read_private_key(path, lambda: b"open sesame")
    assert read.public.raw == made.public_key().public_bytes_raw()


def test_a_passphrase_of_ssh_keygen_is_asked_for_and_used(tmp_path: Path) -> None:
    public = ssh_keygen(tmp_path / "id", "-t", "ed25519", "-a", "1", passphrase="open sesame")
    with pytest.raises(ConfigError, match="needs a passphrase"):
        read_private_key(tmp_path / "id")
    with pytest.raises(ConfigError, match="another passphrase"):
        read_private_key(tmp_path / "id", lambda: b"wrong")
    assert read_private_key(tmp_path / "id", lambda: b"open sesame").public.raw == public.raw


def test_a_new_key_is_its_owners_alone_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "signing-key.pem"
    made = make_private_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_or_make_private_key(path).public == made.public
    with pytest.raises(ConfigError, match="exists"):
        make_private_key(path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    make_private_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="others can use it") as refused:
        read_private_key(path)
    assert "chmod 600 key.pem" in (refused.value.next_action or "")


def test_what_is_no_ed25519_key_is_refused_without_its_path(tmp_path: Path) -> None:
    ssh_keygen(tmp_path / "rsa", "-t", "rsa", "-b", "2048")
    (tmp_path / "text").write_text("hello")
    (tmp_path / "long").write_bytes(b"x" * 20_000)
    (tmp_path / "link").symlink_to(tmp_path / "rsa")
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir()
    for name, why in {
        "rsa": "not an Ed25519 key",
        "text": "cannot be read as a private key",
        "long": "too long",
        "link": "symbolic link",
        "pipe": "not a regular file",
        "folder": "not a regular file",
        "absent": "No such file",
    }.items():
        path = tmp_path / name
        if path.is_file() and not path.is_symlink():
            path.chmod(0o600)
        with pytest.raises(ConfigError, match=why) as refused:
            read_private_key(path)
        assert str(tmp_path) not in refused.value.message


def test_a_private_key_does_not_show_itself(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = make_private_key(path)
    assert repr(key) == f"PrivateKey({key.public.key_id})"


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    for n in range(20):
        path, found = tmp_path / f"{n}.pem", set[str]()
        together = threading.Barrier(8)

        def start(
            path: Path = path, found: set[str] = found, together: threading.Barrier = together
        ) -> None:
            together.wait()
            try:
                found.add(read_or_make_private_key(path).public.key_id)
            except ConfigError as error:
                found.add(error.message)

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 1, found
    assert {path.suffix for path in tmp_path.iterdir()} == {".pem"}, "a part of a key was left"
