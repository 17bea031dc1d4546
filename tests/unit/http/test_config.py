"""The configuration file: strict, and silent about its values."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bps.bootstrap import Settings
from bps.core.errors import ConfigError
from bps.http.config import ServeConfig, read_config
from bps.http.limits import Limits
from bps.http.run import plan_of, sidecar_settings
from bps.http.server import Listen, is_loopback
from bps.writepath.admission import Bounds
from tests.checkout import ROOT


def written(directory: Path, text: str, name: str = "service.toml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    plan = plan_of(read_config(written(tmp_path, "")), Settings(endpoints=("h:1",)))
    assert plan.limits == Limits()
    assert plan.listen == Listen()
    assert plan.settings.endpoints == ("h:1",)


def test_a_service_waits_for_an_etcd_that_is_starting_as_no_command_does(tmp_path: Path) -> None:
    of_commands = Settings.from_environment()
    assert of_commands.refused_s < 1.0
    assert plan_of(read_config(written(tmp_path, "")), of_commands).settings.refused_s == math.inf


def test_a_whole_file_is_taken_over_with_paths_beside_it(tmp_path: Path) -> None:
    password = written(tmp_path, "s3cret\n", "password")
    password.chmod(0o600)
    text = """
[etcd]
endpoints = ["a:1", "b:2"]
ca_file = "ca.pem"
user = "bps"
password_file = "password"
[listen]
host = "0.0.0.0"
port = 0
tls_cert_file = "/abs/cert.pem"
tls_key_file = "key.pem"
client_ca_file = "clients.pem"
public_health = true
[sidecar]
name = "one"
lease_ttl_s = 9
mirror_dir = "mirror"
[limits]
max_connections = 7
idle_s = 2
[log]
level = "warning"
"""
    config = read_config(written(tmp_path, text))
    plan = plan_of(config, Settings())
    assert plan.settings.endpoints == ("a:1", "b:2")
    assert plan.settings.ca_file == tmp_path / "ca.pem"
    assert plan.settings.password == "s3cret"
    assert plan.settings.sidecar_name == "one"
    assert plan.listen.tls_cert_file == Path("/abs/cert.pem")
    assert plan.listen.client_ca_file == tmp_path / "clients.pem"
    assert plan.limits.max_connections == 7
    assert plan.limits.idle_s == 2.0
    assert plan.mirror_dir == tmp_path / "mirror"
    assert plan.public_health
    assert "s3cret" not in repr(plan) + repr(config)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[listen]\nhots = 'secret'", "listen.hots is unknown"),
        ("[lisen]", "lisen is unknown"),
        ("[listen]\nport = 'secret'", "listen.port:"),
        ("[listen]\nport = true", "listen.port:"),
        ("[listen]\nport = 65536", "listen.port:"),
        ("[etcd]\nendpoints = ['user:secret@host:1']", "etcd.endpoints.0:"),
        ("[listen]\nadvertise_url = 'ftp://secret'", "listen.advertise_url:"),
        ("[listen]\nadvertise_url = 'http://user:secret@host'", "listen.advertise_url:"),
        ("[listen]\nadvertise_url = 'http://secret\\u001b'", "listen.advertise_url:"),
        ("[etcd]\npassword = 'secret'", "etcd.password is unknown"),
        ("[limits]\nidle_s = 0", "limits.idle_s:"),
        ("[limits]\nidle_s = nan", "limits.idle_s:"),
        ("[log]\nlevel = 'secret'", "log.level:"),
        ("secret = [", "is no TOML"),
        ("a = 1\na = 2", "is no TOML"),
        ("x = " + "[" * 20_000, "is no TOML"),
        ("#" * 70_000, "has more than 65536 bytes"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_config(written(tmp_path, text))
    assert told in refused.value.message
    assert "secret" not in refused.value.message
    assert str(tmp_path) not in refused.value.message


def test_the_first_token_goes_where_the_file_says_or_beside_an_etcd_of_our_own(
    tmp_path: Path,
) -> None:
    named = read_config(written(tmp_path, "[sidecar]\nfirst_token_file = 'first'"))
    assert plan_of(named, Settings()).first_token_file == tmp_path / "first"
    embedded = plan_of(ServeConfig(), Settings(data_dir=tmp_path / "etcd"))
    assert embedded.first_token_file == tmp_path / "etcd" / "operator-token"
    cluster = plan_of(ServeConfig(), Settings(endpoints=("a:1",)))
    assert cluster.first_token_file is None


@pytest.mark.parametrize("kind", ["missing", "directory"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ConfigError, match="is not there, or is no file"):
        read_config(tmp_path if kind == "directory" else tmp_path / "none")


def test_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "s3cret", "password").chmod(0o640)
    text = "[etcd]\nendpoints = ['a:1']\npassword_file = 'password'"
    with pytest.raises(ConfigError, match="other users"):
        plan_of(read_config(written(tmp_path, text)), Settings())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])  # noqa: S104
def test_clear_text_never_leaves_this_host(host: str) -> None:
    with pytest.raises(ConfigError, match="Without TLS"):
        Listen(host).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_host_needs_no_tls(host: str) -> None:
    Listen(host).check()
    assert is_loopback(host)
    assert not is_loopback("::ffff:192.0.2.1")
    assert is_loopback("::ffff:127.0.0.1")


@pytest.mark.parametrize(
    "listen",
    [
        Listen(tls_cert_file=Path("a")),
        Listen(tls_key_file=Path("a")),
        Listen(client_ca_file=Path("a")),
        Listen(port=70_000),
    ],
)
def test_half_a_tls_setup_is_refused(listen: Listen) -> None:
    with pytest.raises(ConfigError):
        listen.check()


def test_the_file_in_the_documentation_is_taken_and_shows_the_defaults(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "serve.md").read_text()
    text = page.partition("```toml\n")[2].partition("```")[0]
    config = read_config(written(tmp_path, text))
    assert config.limits.limits() == Limits()
    for name in type(config).model_fields:
        assert (
            set(type(getattr(config, name)).model_fields) == getattr(config, name).model_fields_set
        )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[listen]\nprot = 1", "listen.port"),
        ("[lisen]\nport = 1", "listen"),
        ("[limits]\nmax_stream = 1", "limits.max_streams"),
    ],
)
def test_an_unknown_key_is_told_the_nearest_known_one(
    tmp_path: Path, text: str, meant: str
) -> None:
    with pytest.raises(ConfigError, match=rf"\(did you mean {meant}\?\)"):
        read_config(written(tmp_path, text))


def test_the_bounds_of_the_line_of_writes_reach_the_sidecar(tmp_path: Path) -> None:
    text = "[limits]\nmax_writes_in_flight = 3\nmax_writes_waiting = 5\n"
    text += "[sidecar]\nsigning_key_file = 'key'\n"
    plan = plan_of(read_config(written(tmp_path, text)), Settings(endpoints=("a:1",)))
    assert sidecar_settings(plan).write_bounds == Bounds(3, 5)
