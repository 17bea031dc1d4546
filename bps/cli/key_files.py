"""What `bps keys` reads from files and from the terminal: keys, passphrases and approvals."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bps.cli.json_file import read_json
from bps.cli.session import check_private, read_limited
from bps.core.errors import ConfigError, InvalidInput

if TYPE_CHECKING:
    from bps.keyring.model import Approval
    from bps.keyring.private_key import PrivateKey
    from bps.keyring.public_key import PublicKey

_MAX_KEY_BYTES = 8_192
_MAX_PASSPHRASE_BYTES = 1_024


def private_key_in(path: Path, passphrase_file: Path | None) -> PrivateKey:
    """The private key of a file; its passphrase is read, or asked for, only where it has one.

    Raises:
        ConfigError: as `read_private_key`, or nobody can be asked.
    """
    from bps.keyring.private_key import read_private_key  # noqa: PLC0415 - heavy

    def passphrase() -> bytes:
        if passphrase_file is None:
            return asked_passphrase()
        check_private(passphrase_file, "The passphrase file")
        given = read_limited(passphrase_file, _MAX_PASSPHRASE_BYTES, "The passphrase")
        return given.removesuffix(b"\n")

    return read_private_key(path, passphrase)


def asked_passphrase() -> bytes:
    """The passphrase, typed without being shown. Raises ConfigError where nobody can be asked."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        msg = "The private key has a passphrase, and there is no terminal to ask for it."
        raise ConfigError(msg).advising("Name a file that holds it: --passphrase-file.") from None
    return str(typer.prompt("passphrase", hide_input=True, err=True)).encode()


def public_key_in(path: Path) -> PublicKey:
    """The public key of a file; - reads standard input. Raises InvalidInput where it holds none."""
    from bps.keyring.public_key import PublicKey  # noqa: PLC0415 - not needed for help

    data = read_limited(path, _MAX_KEY_BYTES, "The public key")
    try:
        return PublicKey.parse(data.decode())
    except UnicodeDecodeError:
        raise InvalidInput("The public key is not text.", field="public_key") from None


def envelopes_in(files: Sequence[Path] | None) -> list[dict[str, Any]]:
    """The JSON objects of the files given as `--approval`. Raises InvalidInput."""
    found = [read_json(file, "The approval", "approval") for file in files or ()]
    if not all(isinstance(each, dict) for each in found):
        raise InvalidInput("An approval is a JSON object.", field="approval")
    return found


def approvals_of(envelopes: Sequence[dict[str, Any]]) -> tuple[Approval, ...]:
    """The approvals in these objects. Raises InvalidInput where one is no signed envelope."""
    from pydantic import ValidationError  # noqa: PLC0415 - heavy

    from bps.api.keys import Envelope, approvals_in  # noqa: PLC0415

    try:
        return approvals_in([Envelope.model_validate(each) for each in envelopes])
    except ValidationError:
        msg = "An approval is not an envelope that `bps keys sign` made."
        raise InvalidInput(msg, field="approval") from None
