"""Contexts: kept for their owner alone, whole or not at all, and never showing a token."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.cli.contexts import Context, Contexts, _lines, parse, toml_string
from bps.core.errors import ConfigError
from bps.identity.token_text import Token
from tests.unit.cli.invoke import Ran, invoke

SECRET = b"s3cret" + bytes(26)
TOKEN = Token("0123456789abcdef", SECRET).text()
URL = "http://127.0.0.1:8780"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


def bps(config: Path, *arguments: str, stdin: bytes | None = None) -> Ran:
    return invoke(*arguments, env={"BPS_CONFIG": str(config)}, stdin=stdin)


def data(config: Path, *arguments: str, stdin: bytes | None = None) -> object:
    ran = bps(config, *arguments, "-o", "json", stdin=stdin)
    assert ran.code == 0, ran
    assert SECRET.hex() not in ran.out + ran.err
    return json.loads(ran.out)


def test_contexts_are_added_used_shown_and_removed(config: Path, tmp_path: Path) -> None:
    assert data(config, "context", "list") == []
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    laptop = data(
        config,
        "context",
        "add",
        "laptop",
        "--url",
        URL,
        "--token-stdin",
        stdin=f"{TOKEN}\n".encode(),
    )
    assert laptop == {
        "name": "laptop",
        "current": True,
        "url": URL,
        "token": "stored",
        "token_file": None,
        "ca_file": None,
        "cert_file": None,
        "key_file": None,
    }
    https = ("--url", "https://bps.example.org/", "--token-file", str(token_file))
    data(config, "context", "add", "eu-1", *https, "--ca-file", "ca.pem")
    listed = data(config, "context", "list")
    assert isinstance(listed, list)
    assert [(each["name"], each["current"], each["token"]) for each in listed] == [
        ("eu-1", False, "in a file"),
        ("laptop", True, "stored"),
    ]
    assert listed[0]["url"] == "https://bps.example.org"
    assert listed[0]["ca_file"] == str(Path("ca.pem").absolute())
    data(config, "context", "use", "eu-1")
    shown = data(config, "context", "show")
    assert isinstance(shown, dict)
    assert shown["name"] == "eu-1"
    assert data(config, "context", "show", "laptop") == {**laptop, "current": False}
    data(config, "context", "remove", "eu-1")
    assert bps(config, "context", "show").code == 1
    assert config.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in config.parent.iterdir()] == ["config.toml"]
    assert tomllib.loads(config.read_text()) == {
        "contexts": {"laptop": {"url": URL, "token": TOKEN}}
    }


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("add", "laptop", "--url", URL), 1, "There is a context laptop already"),
        (("add", "Laptop", "--url", URL), 2, "is no name for a context"),
        (("add", "../x", "--url", URL), 2, "is no name for a context"),
        (("add", "b", "--url", "nowhere"), 2, "is no URL"),
        (("add", "b", "--url", "http://h", "--token-stdin"), 2, "https only"),
        (("add", "b", "--url", URL, "--token-stdin", "--token-file", "x"), 2, "not both"),
        (("use", "b"), 1, "There is no context"),
        (("remove", "b"), 1, "There is no context"),
        (("show", "b"), 1, "There is no context"),
    ],
)
def test_refusals_change_nothing(
    config: Path, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    data(config, "context", "add", "laptop", "--url", URL, "--token-stdin", stdin=TOKEN.encode())
    before = config.read_bytes()
    ran = bps(config, "context", *arguments, stdin=TOKEN.encode())
    assert (ran.code, ran.out) == (exit_code, "")
    assert said in ran.err
    assert SECRET.hex() not in ran.err
    assert config.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("currant = 'x'", "`'currant'` is no key"),
        ("[contexts.a]\nurl = 'http://h'\ntocken = 's3cret'", "`'tocken'` of context a is no key"),
        ("[contexts.a]\ntoken = 's3cret'", "context a has no `url`"),
        ("[contexts.a]\nurl = 7", "`url` of context a must be text"),
        ("[contexts.a]\nurl = 'http://h'\ntoken = \"s3cret\\n\"", "`token` of context a"),
        ("[contexts.'../x']\nurl = 'http://h'", "is no context"),
        ("contexts = 7", "must be tables"),
        ("current = 'b'", "names no context"),
        ("token = 's3cret", "it is not TOML"),
        ("a = " + "[" * 100_000, "it is not TOML"),
        ("#" * 300_000, "more than"),
    ],
)
def test_a_file_that_is_none_of_ours_is_named_without_its_values(
    config: Path, text: str, said: str
) -> None:
    config.parent.mkdir()
    config.write_text(text)
    config.chmod(0o600)
    ran = bps(config, "context", "list")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert str(config) in ran.err
    assert "s3cret" not in ran.err


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_can_read_or_write_is_refused(config: Path, mode: int) -> None:
    data(config, "context", "add", "laptop", "--url", URL)
    config.chmod(mode)
    ran = bps(config, "context", "list")
    assert ran.code == 2
    assert "chmod 600" in ran.err


@pytest.mark.parametrize(
    "stdin",
    [b"", b"{}", b"{", b'{"secret": null}', b'{"secret": 7}', b"[" * 4_000, b"\xff", b"a b"],
)
def test_standard_input_without_a_token(config: Path, stdin: bytes) -> None:
    ran = bps(config, "context", "add", "a", "--url", URL, "--token-stdin", stdin=stdin)
    assert (ran.code, ran.out) == (2, "")
    assert "[CONFIG_ERROR]" in ran.err
    assert not config.exists()


def test_what_init_prints_is_taken_for_a_token(config: Path) -> None:
    printed = json.dumps({"layout": 1, "secret": TOKEN}, indent=2).encode()
    data(config, "context", "add", "a", "--url", URL, "--token-stdin", stdin=printed)
    assert parse(config.read_bytes()).by_name["a"].token == TOKEN


def test_a_directory_or_pipe_in_place_of_the_file(config: Path) -> None:
    config.mkdir(parents=True)
    assert "is not a file" in bps(config, "context", "list").err


text = st.text(min_size=1, max_size=30).filter(str.isprintable)


@given(st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True), text), text)
def test_what_is_written_is_what_is_read(urls: dict[str, str], other: str) -> None:
    by_name = {
        name: Context(url=url, token=other, ca_file=url + other) for name, url in urls.items()
    }
    contexts = Contexts(by_name, next(iter(by_name), None))
    assert parse("".join(_lines(contexts)).encode()) == contexts


@given(st.text())
def test_any_text_is_one_toml_string(value: str) -> None:
    try:
        written = toml_string(value)
    except ConfigError:
        assert any(0xD800 <= ord(character) <= 0xDFFF for character in value)
        return
    assert tomllib.loads(f"a = {written}") == {"a": value}
    assert written.isascii()
    assert written.isprintable()
