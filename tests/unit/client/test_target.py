"""Which services and credentials are taken; no secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bps.client import BpsClient, Target
from bps.core.errors import ConfigError
from bps.identity.token_text import Token

SECRET = b"s3cret" + bytes(26)
TOKEN = Token("0123456789abcdef", SECRET).text()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8780", "http://[::1]:8780", "http://localhost", "https://bps.example.org/x"],
)
def test_services_that_get_a_token(url: str) -> None:
    assert Target.of(url, token=TOKEN).token == TOKEN


@pytest.mark.parametrize("url", ["http://bps.example.org", "http://10.0.0.1:8780", "http://127.1"])
def test_a_token_is_not_sent_in_clear_to_another_machine(url: str) -> None:
    assert Target.of(url).token is None
    with pytest.raises(ConfigError, match="https only") as refused:
        Target.of(url, token=TOKEN)
    assert SECRET.hex() not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8780",
        "ftp://h",
        "http://",
        "http:///v1",
        "http://h:99999",
        "http://h:x",
        "http://h:0",
        "http://h?x=1",
        "http://h/?",
        "http://h#a",
        "http://h\n.example.org",
        "http://h h",
        "http://[::1",
        "http://é.example.org",
        "http://h\\x",
        "file:///etc/passwd",
    ],
    ids=ascii,
)
def test_what_is_no_url_of_a_service(url: str) -> None:
    with pytest.raises(ConfigError):
        Target.of(url)


def test_a_password_in_a_url_is_not_shown() -> None:
    for url in ("https://root:pw@h", "https://pw@h"):
        with pytest.raises(ConfigError) as refused:
            Target.of(url)
        assert "pw" not in str(refused.value)


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "two words",
        "a\r\nHost: x",
        "s3cret\x00",
        "é",
        "x" * 513,
        TOKEN[:-1],
        TOKEN.upper(),
        TOKEN + "s3cret",
    ],
    ids=lambda token: ascii(token[:12]),
)
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(ConfigError, match="not a whole token") as refused:
        Target.of("http://127.0.0.1", token=token)
    assert "s3cret" not in str(refused.value)


def test_a_token_file_is_read_when_no_token_is_given(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    assert Target.of("http://127.0.0.1", token_file=file).token == TOKEN
    other = Token.generate().text()
    assert Target.of("http://127.0.0.1", token=other, token_file=file).token == other
    file.write_bytes(b"s3cret\xff")
    for path in (file, tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError) as refused:
            Target.of("http://127.0.0.1", token_file=path)
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_token_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=f"{mode:04o}") as refused:
        Target.of("http://127.0.0.1", token_file=file)
    assert "chmod 600" in (refused.value.next_action or "")


def test_nothing_shows_the_token() -> None:
    target = Target.of("http://127.0.0.1", token=TOKEN)
    client = BpsClient(target)
    shown = [repr(target), repr(client), repr(vars(client)), repr(client._transport)]
    assert not any(SECRET.hex() in text for text in shown)


def test_certificates_that_do_not_go_together(tmp_path: Path) -> None:
    file = tmp_path / "x.pem"
    file.write_text("no certificate")
    with pytest.raises(ConfigError, match="together"):
        Target.of("https://h", cert_file=file)
    with pytest.raises(ConfigError, match="https only"):
        Target.of("http://127.0.0.1", ca_file=file)
    for ca_file in (file, tmp_path / "none.pem"):
        with pytest.raises(ConfigError, match="cannot be used"):
            BpsClient.connect("https://h", ca_file=ca_file)
