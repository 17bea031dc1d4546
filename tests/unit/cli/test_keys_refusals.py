"""`bps keys`: what is refused before any connection, and what needs none at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bps.cli.key_files import asked_passphrase
from bps.core.errors import ConfigError
from bps.keyring.private_key import make_private_key
from tests.unit.cli.invoke import Ran, invoke
from tests.unit.keyring.people import key_of
from tests.unit.keyring.test_private_key import ssh_keygen

ADD = ("--holder", "alice", "--purpose", "holder")


@pytest.fixture
def public(tmp_path: Path) -> Path:
    path = tmp_path / "key.pub"
    path.write_text(key_of(1).public.text)
    return path


def test_a_generated_key_is_registered_by_what_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "signer.pem"
    made = invoke("keys", "generate", str(path), "-o", "json")
    shown = json.loads(made.out)
    assert (made.code, path.stat().st_mode & 0o777) == (0, 0o600)
    assert "PRIVATE" not in made.out + made.err
    assert len(shown["key_id"]) == 16
    again = invoke("keys", "generate", str(path))
    assert (again.code, "exists" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"ssh-rsa AAAA", "RSA"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n", "private key"),
        (b"\xff\xfe", "not text"),
        (b"x" * 10_000, "longer"),
    ],
)
def test_what_is_no_public_key_is_refused_by_name(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "bad").write_bytes(content)
    ran = invoke("keys", "add", str(tmp_path / "bad"), *ADD)
    assert (ran.code, said in ran.err) == (2, True), ran
    assert "c2VjcmV0" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "add", "{public}", "--holder", "Alice", "--purpose", "holder"),
        ("keys", "add", "{public}", "--holder", "alice", "--purpose", "anything"),
        ("keys", "add", "{public}", "--holder", "alice"),
        ("keys", "add", "{public}", *ADD, "--comment", "two\nlines"),
        ("keys", "add", "{public}", *ADD, "--approval", "{public}"),
        ("keys", "revoke", "short"),
        ("keys", "rotate", "0123456789ABCDEF", "{public}"),
        ("keys", "statement", "remove", "--key-id", "0" * 16),
        ("keys", "statement", "revoke", "--key-id", "0" * 16, "--expires-in", "90d"),
        ("keys", "sign", "{public}", "--key", "{public}"),
    ],
)
def test_malformed_requests_are_refused_before_any_connection(
    public: Path, arguments: tuple[str, ...]
) -> None:
    ran = invoke(*(each.replace("{public}", str(public)) for each in arguments))
    assert (ran.code, ran.out) == (2, ""), ran


def test_a_private_key_that_others_can_read_signs_nothing(tmp_path: Path) -> None:
    statement = tmp_path / "statement.json"
    statement.write_text(
        json.dumps(
            {
                "store": "s",
                "action": "revoke",
                "key_id": "0" * 16,
                "new": None,
                "sequence": "3",
                "expires_ms": 1,
            }
        )
    )
    key = tmp_path / "key.pem"
    make_private_key(key)
    assert invoke("keys", "sign", str(statement), "--key", str(key)).code == 0
    key.chmod(0o644)
    ran = invoke("keys", "sign", str(statement), "--key", str(key))
    assert (ran.code, "next: Make it yours alone: chmod 600" in ran.err) == (2, True)


def test_a_passphrase_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ran = sign_with_passphrase(tmp_path, mode=0o644)
    assert (ran.code, ran.out) == (2, "")
    assert "has mode 0644" in ran.err
    assert "chmod 600" in ran.err
    assert sign_with_passphrase(tmp_path, mode=0o600).code == 0


def test_nobody_is_asked_for_a_passphrase_without_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(path: str, *_: object) -> int:
        raise OSError(path)

    monkeypatch.setattr("bps.cli.key_files.os.open", none)
    with pytest.raises(ConfigError, match="no terminal") as refused:
        asked_passphrase()
    assert "--passphrase-file" in (refused.value.next_action or "")


def sign_with_passphrase(folder: Path, mode: int) -> Ran:
    statement, passphrase, key = folder / "statement.json", folder / "passphrase", folder / "id"
    statement.write_text(
        '{"store": "s", "action": "revoke", "key_id": "0000000000000000", "new": null, '
        '"sequence": "3", "expires_ms": 1}'
    )
    passphrase.write_text("open sesame\n")
    passphrase.chmod(mode)
    if not key.exists():
        ssh_keygen(key, "-t", "ed25519", "-a", "1", passphrase="open sesame")
    files = ("--key", str(key), "--passphrase-file", str(passphrase))
    return invoke("keys", "sign", str(statement), *files)
