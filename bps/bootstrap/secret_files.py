"""Where this user's secrets are, unless their files are named."""

from __future__ import annotations

from pathlib import Path

from bps.core.errors import ConfigError


def default_signing_key_file() -> Path:
    """Where this user's signing key is, unless a file is named; it need not be there yet.

    Raises:
        ConfigError: the user has no state directory.
    """
    from platformdirs import user_state_path  # noqa: PLC0415 - only where used

    try:
        return user_state_path("bps") / "signing-key.pem"
    except RuntimeError:
        raise ConfigError("No home directory is known; name a signing key file.") from None


def default_first_token_file(data_dir: Path | None) -> Path:
    """Where the first operator's token of an embedded etcd goes: beside its data.

    Raises:
        ConfigError: the user has no state directory.
    """
    if data_dir is not None:
        return data_dir / "operator-token"
    return default_signing_key_file().with_name("operator-token")
