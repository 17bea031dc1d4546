"""TLS files: small regular ones; anything else is named, and nothing waits for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bps.core.errors import ConfigError
from bps.store.security import EtcdTls

PEM = b"-----BEGIN CERTIFICATE-----\n"


def test_a_pipe_a_device_and_a_directory_are_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, Path("/dev/zero"), tmp_path):
        with pytest.raises(ConfigError, match=f"{path} is not a regular file"):
            EtcdTls(ca=path).read()


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM + b"x" * 1_048_576)
    with pytest.raises(ConfigError, match="more than 1 MiB"):
        EtcdTls(ca=path).read()


def test_a_secret_may_be_mounted_as_a_link(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(b"no PEM")
    link = tmp_path / "link.pem"
    link.symlink_to(path)
    with pytest.raises(ConfigError, match="is not a PEM file"):
        EtcdTls(ca=link).read()
