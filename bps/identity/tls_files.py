"""TLS files as both ends load them: the one that cannot be used is named, and why."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path
from typing import Final, NoReturn

from bps.core.errors import ConfigError

_MAX_BYTES: Final = 1_048_576
_OTHERS: Final = 0o077
_PEM: Final = "Name a PEM file"


def load_identity(
    context: ssl.SSLContext, cert: Path, key: Path, *, cert_name: str, key_name: str
) -> None:
    """Load a certificate with its private key; the names are those of the settings.

    Raises:
        ConfigError: one of them cannot be read or is no such PEM file, others can read the key, it
            has a passphrase, or the two do not belong together.
    """
    certificates = _content(cert, cert_name)
    if b"-----BEGIN CERTIFICATE-----" not in certificates:
        _refuse(cert_name, "it holds no certificate", f"{_PEM} of the certificate (and its chain).")
    secret = _content(key, key_name, private=True)
    if b"PRIVATE KEY-----" not in secret:
        _refuse(key_name, "it holds no private key", f"{_PEM} of the private key.")
    try:
        context.load_cert_chain(cert, key, password=_no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            msg = f"{key_name} is not the key of the certificate in {cert_name}."
            raise ConfigError(msg).advising("Name a certificate and the key of its own.") from None
        if _is_certificate(certificates):
            _refuse(key_name, "it is no private key that we can read", f"{_PEM} of the key.")
        _refuse(cert_name, "its certificate is damaged", f"{_PEM} of the certificate.")
    except ValueError:
        action = "Remove the passphrase: `openssl pkey -in FILE -out NEW_FILE`, mode 0600."
        _refuse(key_name, "it has a passphrase", action)
    except OSError as error:
        _refuse(cert_name, error.strerror or "it fails", "Name a file that this user can read.")


def load_ca(context: ssl.SSLContext, ca: Path, *, name: str) -> None:
    """Trust the certificates in `ca`. Raises ConfigError."""
    content = _content(ca, name)
    try:
        if b"-----BEGIN CERTIFICATE-----" not in content:
            raise ssl.SSLError
        context.load_verify_locations(ca)
    except OSError:
        _refuse(name, "it holds no certificate", f"{_PEM} of the CA's certificate.")


def _content(path: Path, name: str, *, private: bool = False) -> bytes:
    readable = "Name a file that this user can read."
    try:
        # A pipe without a writer would hold this up for ever.
        if path.exists() and not path.is_file():
            _refuse(name, "it is no file", readable)
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if private and mode & _OTHERS:
                action = f"Make it yours alone: chmod 600 {path.name}."
                _refuse(name, f"it has mode {mode:04o}; others can read it", action)
            return file.read(_MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        _refuse(name, reason or "it cannot be read", readable)


def _is_certificate(data: bytes) -> bool:
    from cryptography import x509  # noqa: PLC0415 - heavy, and only for the reason

    try:
        x509.load_pem_x509_certificates(data)
    except ValueError:
        return False
    return True


def _no_passphrase() -> str:
    """OpenSSL would ask on the terminal."""
    msg = "the key has a passphrase"
    raise ValueError(msg)


def _refuse(name: str, why: str, action: str) -> NoReturn:
    raise ConfigError(f"{name} cannot be used: {why}.").advising(action) from None
