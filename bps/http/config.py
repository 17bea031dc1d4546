"""The service's configuration file: TOML, strict; an unknown key is refused by its name."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

from bps.core.errors import ConfigError
from bps.core.wording import problem_of
from bps.http.limits import Limits
from bps.http.problems import shown
from bps.leadership.clock_check import ClockBounds
from bps.sidecar.presence import URL
from bps.space.verdict import DEFAULT_QUOTA_BYTES

_MAX_BYTES = 65_536
_MAX_PASSWORD_BYTES = 4_096
_SHOWN_ERRORS = 3
_DEFAULTS = Limits()
_KEYS = "Correct the keys named; docs/serve.md shows them all."
_FILE = "Name a file that this user can read."
_FIRST_LINE = "Write the password of the etcd user into its first line."
_ENDPOINT = r"^[^@\s,]{1,253}$"


def _path(value: object) -> object:
    return Path(value) if isinstance(value, str) and value else value


def _whole(value: object) -> object:
    """Seconds may be written without a fraction."""
    return float(value) if type(value) is int else value


FilePath = Annotated[Path, BeforeValidator(_path)]
Seconds = Annotated[float, BeforeValidator(_whole), Field(gt=0, le=3_600)]
ClockSeconds = Annotated[int, Field(ge=60, le=3_650 * 86_400)]
PerSecond = Annotated[float, BeforeValidator(_whole), Field(gt=0, le=1_000_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Bytes = Annotated[int, Field(ge=1_024, le=16 * 2**20)]


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class EtcdSection(_Section):
    """How to reach etcd; the password comes from a file, so that this one holds no secret."""

    endpoints: list[Annotated[str, StringConstraints(pattern=_ENDPOINT)]] = []
    ca_file: FilePath | None = None
    cert_file: FilePath | None = None
    key_file: FilePath | None = None
    user: str | None = None
    password_file: FilePath | None = None
    allow_old: bool = False
    quota_bytes: Annotated[int, Field(ge=2**20, le=2**40)] = DEFAULT_QUOTA_BYTES


class ListenSection(_Section):
    """Where to listen; see `bps.http.server.Listen`."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8780
    tls_cert_file: FilePath | None = None
    tls_key_file: FilePath | None = None
    client_ca_file: FilePath | None = None
    public_health: bool = False
    advertise_url: Annotated[str, StringConstraints(pattern=URL)] | None = None


class SidecarSection(_Section):
    """Who this sidecar is, and where it keeps what is its own."""

    name: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")] | None = None
    lease_ttl_s: Annotated[int, Field(ge=3, le=300)] = 5
    mirror_dir: FilePath | None = None
    signing_key_file: FilePath | None = None
    first_token_file: FilePath | None = None
    max_clock_ahead_s: ClockSeconds = ClockBounds().max_ahead_s
    max_clock_behind_s: ClockSeconds = ClockBounds().max_behind_s


class LimitsSection(_Section):
    """The bounds of the listener; each as in `bps.http.limits.Limits`."""

    max_header_bytes: Bytes = _DEFAULTS.max_header_bytes
    max_json_bytes: Bytes = _DEFAULTS.max_json_bytes
    max_blueprint_bytes: Bytes = _DEFAULTS.max_blueprint_bytes
    max_json_depth: Annotated[int, Field(ge=4, le=128)] = _DEFAULTS.max_json_depth
    max_connections: Count = _DEFAULTS.max_connections
    max_streams: Count = _DEFAULTS.max_streams
    max_streams_per_principal: Count = _DEFAULTS.max_streams_per_principal
    requests_per_s: PerSecond = _DEFAULTS.requests_per_s
    burst: Count = _DEFAULTS.burst
    unauthenticated_per_s: PerSecond = _DEFAULTS.unauthenticated_per_s
    max_writes_in_flight: Count = _DEFAULTS.max_writes_in_flight
    max_writes_waiting: Count = _DEFAULTS.max_writes_waiting
    write_timeout_s: Annotated[Seconds, Field(le=30)] = _DEFAULTS.write_timeout_s
    header_deadline_s: Seconds = _DEFAULTS.header_deadline_s
    body_deadline_s: Seconds = _DEFAULTS.body_deadline_s
    idle_s: Seconds = _DEFAULTS.idle_s
    write_stall_s: Seconds = _DEFAULTS.write_stall_s
    keep_alive_s: Seconds = _DEFAULTS.keep_alive_s
    recheck_s: Annotated[Seconds, Field(le=5)] = _DEFAULTS.recheck_s
    drain_s: Annotated[Seconds, Field(le=3.5)] = _DEFAULTS.drain_s

    def limits(self) -> Limits:
        """The same as the listener takes it."""
        return Limits(**self.model_dump())


class LogSection(_Section):
    """How much is logged."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class OtelSection(_Section):
    """Where spans go, with the extra `otel`; nothing is sent without an endpoint."""

    endpoint: Annotated[str, StringConstraints(pattern=r"^https?://[^@\s]{1,500}$")] | None = None
    service_name: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")] = "bps"


class ServeConfig(_Section):
    """The whole file; every section and key may be left out."""

    etcd: EtcdSection = EtcdSection()
    listen: ListenSection = ListenSection()
    sidecar: SidecarSection = SidecarSection()
    limits: LimitsSection = LimitsSection()
    log: LogSection = LogSection()
    otel: OtelSection = OtelSection()


def read_config(path: Path) -> ServeConfig:
    """The configuration in a file of at most 64 KiB; relative paths in it are the file's.

    Raises:
        ConfigError: it cannot be read, is no TOML, or holds something else than these keys.
    """
    name = shown(path.name)
    data = _read(path, _MAX_BYTES, f"The configuration file {name}")
    try:
        found = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        place = re.search(r"\(at ([^)]{1,60})\)", str(error))
        at = f" ({place[1]})" if place else ""
        msg = f"The configuration file {name} is no TOML{at}."
        raise ConfigError(msg).advising(
            "Correct the file; docs/serve.md shows a whole one."
        ) from None
    try:
        config = ServeConfig.model_validate(found)
    except ValidationError as error:
        raise ConfigError(_refusal(name, error)).advising(_KEYS) from None
    return _with_absolute_paths(config, path.absolute().parent)


def _refusal(name: str, error: ValidationError) -> str:
    """Names the keys, never their values."""
    problems = []
    for each in error.errors(include_url=False, include_input=False):
        key = ".".join(shown(str(part)) for part in each["loc"])
        unknown = each["type"] == "extra_forbidden"
        nearest = _nearest(each["loc"]) if unknown else ""
        problems.append(f"{key} is unknown{nearest}" if unknown else f"{key}: {problem_of(each)}")
    more = f" and {len(problems) - _SHOWN_ERRORS} more" if len(problems) > _SHOWN_ERRORS else ""
    return f"The configuration file {name}: {'; '.join(problems[:_SHOWN_ERRORS])}{more}."


def _nearest(place: tuple[int | str, ...]) -> str:
    """Which key of the same section, or which section, was probably meant."""
    *sections, unknown = map(str, place)
    known: Iterable[str] = ServeConfig.model_fields
    if sections:
        known = type(getattr(ServeConfig(), sections[0])).model_fields
    found = get_close_matches(unknown[:60], known, n=1)
    return f" (did you mean {'.'.join([*sections, *found])}?)" if found else ""


def _with_absolute_paths(config: ServeConfig, directory: Path) -> ServeConfig:
    sections: dict[str, Any] = {}
    for name in type(config).model_fields:
        section: BaseModel = getattr(config, name)
        paths = {
            key: directory / value
            for key, value in section.__dict__.items()
            if isinstance(value, Path)
        }
        sections[name] = section.model_copy(update=paths)
    return config.model_copy(update=sections)


def read_password(path: Path) -> SecretStr:
    """The first line of a file that nobody else can read.

    Raises:
        ConfigError: it cannot be read, is empty, or other users can read it.
    """
    what = "The file of etcd.password_file"
    text = _read(path, _MAX_PASSWORD_BYTES, what, private=True)
    try:
        password = text.decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        msg = f"{what} is not UTF-8 text."
        raise ConfigError(msg).advising(_FIRST_LINE) from None
    if not password:
        raise ConfigError(f"{what} is empty.").advising(_FIRST_LINE)
    return SecretStr(password)


def _read(path: Path, limit_bytes: int, what: str, *, private: bool = False) -> bytes:
    try:
        if not path.is_file():
            raise ConfigError(f"{what} is not there, or is no file.").advising(_FILE)
        with path.open("rb") as file:
            if private and os.fstat(file.fileno()).st_mode & 0o077:
                msg = f"{what} can be read by other users."
                raise ConfigError(msg).advising(
                    f"Make it yours alone: chmod 600 {shown(path.name)}."
                )
            data = file.read(limit_bytes + 1)
    except OSError as error:
        msg = f"{what} cannot be read: {error.strerror or 'it failed'}."
        raise ConfigError(msg).advising(_FILE) from None
    if len(data) > limit_bytes:
        raise ConfigError(f"{what} has more than {limit_bytes} bytes.").advising(_FILE)
    return data
