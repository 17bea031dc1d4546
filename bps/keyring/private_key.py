"""Private keys in files: read only where nobody else can read them, made where there are none."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bps.core.errors import ConfigError
from bps.keyring.public_key import PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MAX_BYTES: Final = 16_384
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS: Final = 0o077
_NAME_A_FILE: Final = "Name the file of an Ed25519 private key that is yours."


class PrivateKey:
    """An Ed25519 private key; implements `Signer`. Its text is never shown, not even by `repr`."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature; about 60 us."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.key_id})"


def read_private_key(path: Path, passphrase: Callable[[], bytes] | None = None) -> PrivateKey:
    """The key in `path`: OpenSSH's own format, or PKCS 8 PEM.

    `passphrase` is asked only where the key is protected by one.

    Raises:
        ConfigError: the file cannot be read, is not the user's own with mode 0600, is protected by
            another passphrase, or holds no Ed25519 key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - heavy
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - heavy
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - heavy
        Ed25519PrivateKey,
    )

    data = _private_bytes(path)
    load = (
        serialization.load_ssh_private_key
        if b"OPENSSH PRIVATE KEY" in data
        else serialization.load_pem_private_key
    )
    try:
        try:
            found = load(data, None)
        except TypeError:
            if passphrase is None:
                raise ConfigError(f"{_what(path)} needs a passphrase.").advising(
                    "Give it by --passphrase-file; a sidecar needs a key without one."
                ) from None
            found = load(data, passphrase())
    except (UnsupportedAlgorithm, ValueError):
        why = "cannot be read as a private key, or has another passphrase"
        raise ConfigError(f"{_what(path)} {why}.").advising(
            "Give the right passphrase, or name the file of an Ed25519 private key."
        ) from None
    if not isinstance(found, Ed25519PrivateKey):
        raise ConfigError(f"{_what(path)} is not an Ed25519 key.").advising(
            "Use one of `ssh-keygen -t ed25519` or `bps keys generate`."
        )
    return PrivateKey(found)


def make_private_key(path: Path) -> PrivateKey:
    """Make a new key in a new file of mode 0600 (PKCS 8 PEM), durably; missing folders get 0700.

    Raises:
        ConfigError: there is a file already, or it cannot be written.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - heavy
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - heavy
        Ed25519PrivateKey,
    )

    key = Ed25519PrivateKey.generate()
    data = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whole under its name or not at all: another process may read it at once.
        written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(written, _CREATE, 0o600)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(data)
            os.fsync(descriptor)
            os.link(written, path)
        finally:
            os.close(descriptor)
            with suppress(OSError):
                written.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigError(f"{_what(path)} cannot be made: {_reason(error)}.").advising(
            "Choose a new name in a directory that this user can write."
        ) from None
    return PrivateKey(key)


def read_or_make_private_key(path: Path) -> PrivateKey:
    """The key in `path`; a new one where there is no file. Raises as the two above."""
    try:
        return make_private_key(path) if not os.path.lexists(path) else read_private_key(path)
    except ConfigError:
        # Another process made it in between.
        if os.path.lexists(path):
            return read_private_key(path)
        raise


def _private_bytes(path: Path) -> bytes:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        msg = f"{_what(path)} cannot be read: {_reason(error)}."
        raise ConfigError(msg).advising(_NAME_A_FILE) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{_what(path)} is not a regular file.").advising(_NAME_A_FILE)
        if found.st_uid != os.geteuid():
            raise ConfigError(f"{_what(path)} belongs to another user.").advising(_NAME_A_FILE)
        if found.st_mode & _OTHERS:
            mode = f"{stat.S_IMODE(found.st_mode):04o}"
            raise ConfigError(f"{_what(path)} has mode {mode}; others can use it.").advising(
                f"Make it yours alone: chmod 600 {path.name[:100]}."
            )
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        msg = f"{_what(path)} cannot be read: {_reason(error)}."
        raise ConfigError(msg).advising(_NAME_A_FILE) from None
    finally:
        os.close(descriptor)
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{_what(path)} is too long for a private key.").advising(_NAME_A_FILE)
    return data


def _what(path: Path) -> str:
    """The file by its name only: messages reach logs and other people."""
    return f"The key file {path.name[:100]!a}"


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a symbolic link"
    return error.strerror or "no reason given"
