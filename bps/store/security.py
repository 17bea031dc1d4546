"""Who we are to etcd: TLS files and a user with a password, whatever carries them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from bps.core.errors import ConfigError
from bps.store.regular_file import open_regular

_MAX_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class EtcdCredentials:
    """An etcd user. Used only when etcd asks for it (authentication is enabled there)."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PemFiles:
    """The contents of the TLS files that are named; None for the others."""

    ca: bytes | None
    cert: bytes | None
    key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class EtcdTls:
    """PEM files: the CA that signs the servers, and our own certificate with its key.

    Without `ca` the system's roots are trusted; `cert` and `key` come together or not at all.
    `server_name` is the name expected in the servers' certificate if it is not the endpoint's.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    def read(self) -> PemFiles:
        """The files' contents.

        Raises:
            ConfigError: a file cannot be read or is no PEM; a certificate without its key.
        """
        if (self.cert is None) != (self.key is None):
            raise ConfigError("An etcd client certificate and its key must be given together.")
        return PemFiles(
            ca=_pem(self.ca, "CA"),
            cert=_pem(self.cert, "client certificate"),
            key=_pem(self.key, "client key"),
        )


def _pem(path: Path | None, what: str) -> bytes | None:
    if path is None:
        return None
    try:
        # Secrets are often mounted as symbolic links.
        with open_regular(path, os.O_RDONLY, follow=True) as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"The etcd {what} file {path} cannot be read: {error.strerror}.", path=str(path)
        ) from error
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"The etcd {what} file {path} has more than 1 MiB.", path=str(path))
    if b"-----BEGIN " not in content:
        raise ConfigError(f"The etcd {what} file {path} is not a PEM file.", path=str(path))
    return content
