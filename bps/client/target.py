"""Which service is meant, and who asks: a URL, a token, certificates; checked before a request."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from bps.core.errors import ConfigError
from bps.identity.token_text import Token

_READ_LIMIT = 4_096
_OTHERS = 0o077
_URL = "Correct --url, BPS_URL or the context's url."
_FILE = "Name a file of yours with nothing but the token: --token-file or BPS_TOKEN_FILE."
_BY_HTTPS = "Use https:// (docs/serve.md, TLS), or run `bps` on the service's own host."
_WHOLE = "Copy all of what `bps token create` or `bps init` showed: 94 characters, from bps_ on."


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
                raise ConfigError(msg).advising(_BY_HTTPS)
        if (cert_file is None) != (key_file is None):
            msg = "A client certificate and its key are named together or not at all."
            raise ConfigError(msg).advising("Name both: --cert-file and --key-file.")
        if split.scheme == "http" and (ca_file or cert_file):
            msg = f"Certificates are for https only, not for {url}."
            raise ConfigError(msg).advising("Use https://, or leave the certificates out.")
        return cls(url.rstrip("/"), secret, ca_file, cert_file, key_file)


def checked_url(url: str) -> str:
    """`url` if it names a service. Raises ConfigError."""
    _checked_url(url)
    return url.rstrip("/")


def checked_token(text: str) -> str:
    """`text` if its form and checksum are a token's. Raises ConfigError, which never shows it."""
    if Token.parse(text) is None:
        msg = "This is not a whole token: its form or its checksum is wrong. Nothing was sent."
        raise ConfigError(msg).advising(_WHOLE)
    return text


def _checked_url(url: str) -> SplitResult:
    try:
        split = urlsplit(url)
        port_is_none_or_number = split.port is None or split.port > 0
    except ValueError:
        split, port_is_none_or_number = SplitResult("", "", "", "", ""), False
    if "@" in url:
        # Never shown: it may hold a password.
        msg = "The service's URL must hold no user and no password."
        raise ConfigError(msg).advising("Name scheme, host and port only.")
    shown = ascii(url[:100])
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    if not (plain and split.scheme in {"http", "https"} and split.hostname):
        msg = f"{shown} is no URL of a service; one looks like https://bps.example.org."
        raise ConfigError(msg).advising(_URL)
    if not port_is_none_or_number or split.query or split.fragment or url.endswith(("?", "#")):
        msg = f"{shown} must be scheme, host and port, with no query and no fragment."
        raise ConfigError(msg).advising(_URL)
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
            msg = f"The token file {shown} is not a file."
            raise ConfigError(msg).advising(_FILE)
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _OTHERS:
                msg = f"The token file {shown} has mode {mode:04o}: others can read the token."
                raise ConfigError(msg).advising(f"Make it yours alone: chmod 600 {shown}.")
            text = file.read(_READ_LIMIT).decode("ascii")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no token"
        msg = f"The token file {shown} cannot be read: {reason}."
        raise ConfigError(msg).advising(_FILE) from None
    return text.strip()
