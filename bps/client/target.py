"""Which service is meant, and who asks: a URL, a token, certificates; checked before a request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from bps.core.errors import ConfigError

MAX_TOKEN_LENGTH = 512
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1: b64token."""
_READ_LIMIT = 4_096


@dataclass(frozen=True, slots=True)
class Target:
    """One service, checked. `token` never is in the representation."""

    url: str
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def of(
        cls,
        url: str,
        *,
        token: str | None = None,
        token_file: Path | None = None,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
    ) -> Target:
        """Check what was configured; `token` wins over `token_file`.

        Raises:
            ConfigError: the URL is none, a token would go unencrypted to another machine, the
                token file cannot be read, or certificates do not go with the URL.
        """
        split = _checked_url(url)
        secret = token
        if secret is None and token_file is not None:
            secret = _read_token(token_file)
        if secret is not None:
            secret = checked_token(secret)
            if split.scheme == "http" and not _is_loopback(split.hostname or ""):
                msg = f"A token is sent to another machine by https only, not to {url}."
                raise ConfigError(msg)
        if (cert_file is None) != (key_file is None):
            raise ConfigError("A client certificate and its key are named together or not at all.")
        if split.scheme == "http" and (ca_file or cert_file):
            raise ConfigError(f"Certificates are for https only, not for {url}.")
        return cls(url.rstrip("/"), secret, ca_file, cert_file, key_file)


def checked_url(url: str) -> str:
    """`url` if it names a service. Raises ConfigError."""
    _checked_url(url)
    return url.rstrip("/")


def checked_token(text: str) -> str:
    """`text` if it can be a bearer token (RFC 6750). Raises ConfigError, never showing it."""
    if len(text) > MAX_TOKEN_LENGTH or _TOKEN.fullmatch(text) is None:
        raise ConfigError("The token is none: it is one word as `bps token create` shows it.")
    return text


def _checked_url(url: str) -> SplitResult:
    try:
        split = urlsplit(url)
        port_is_none_or_number = split.port is None or split.port > 0
    except ValueError:
        split, port_is_none_or_number = SplitResult("", "", "", "", ""), False
    if "@" in url:
        # Never shown: it may hold a password.
        raise ConfigError("The service's URL must hold no user and no password.")
    shown = ascii(url[:100])
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    if not (plain and split.scheme in {"http", "https"} and split.hostname):
        msg = f"{shown} is no URL of a service; one looks like https://bps.example.org."
        raise ConfigError(msg)
    if not port_is_none_or_number or split.query or split.fragment or url.endswith(("?", "#")):
        raise ConfigError(f"{shown} must be scheme, host and port, with no query and no fragment.")
    return split


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _read_token(path: Path) -> str:
    shown = ascii(str(path)[:200])
    try:
        if not path.is_file():
            raise ConfigError(f"The token file {shown} is not a file.")
        with path.open("rb") as file:
            text = file.read(_READ_LIMIT).decode("ascii")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no token"
        raise ConfigError(f"The token file {shown} cannot be read: {reason}.") from None
    return text.strip()
