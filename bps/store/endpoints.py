"""Where members listen: `host:port`, checked before anything connects."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bps.core.errors import ConfigError

_PORT = re.compile(r"[1-9][0-9]{0,4}")
_MAX_PORT = 65_535


def check_endpoints(endpoints: Sequence[str]) -> tuple[str, ...]:
    """The endpoints in their order, each once.

    Raises:
        ConfigError: none is given, or one is not of the form host:port.
    """
    if not endpoints:
        raise ConfigError("No etcd endpoint is configured.")
    if any("@" in endpoint for endpoint in endpoints):
        # None of them is shown: a password may hold the separator.
        raise ConfigError("An etcd endpoint is host:port, without a user or a password.")
    for endpoint in endpoints:
        host, _, port = endpoint.rpartition(":")
        if not host or not _PORT.fullmatch(port) or int(port) > _MAX_PORT or "/" in endpoint:
            raise ConfigError(
                f"{endpoint!r} is not an etcd endpoint of the form host:port.", endpoint=endpoint
            )
    return tuple(dict.fromkeys(endpoints))
