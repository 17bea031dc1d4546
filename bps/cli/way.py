"""Which of two ways a command goes: to the service, or to the store itself. Pure."""

from __future__ import annotations

from enum import Enum, IntEnum, auto

from bps.core.errors import ConfigError

HOW_TO_WRITE = (
    "Name a service (--url, BPS_URL, or a context: `bps context add`), "
    "or add --standalone (BPS_STANDALONE=1) to act on etcd directly."
)


class Origin(IntEnum):
    """Where a setting comes from; the nearer one wins."""

    NOWHERE = 0
    CONTEXT = 1
    ENVIRONMENT = 2
    COMMAND_LINE = 3


class Way(Enum):
    """Where a command goes."""

    SERVICE = auto()
    DIRECT = auto()


def way_to_read(*, service: Origin, etcd: Origin, standalone: Origin) -> Way:
    """The service where one is named; else the members named, else an etcd of our own.

    Raises:
        ConfigError: both are named, equally near.
    """
    direct = max(etcd, standalone)
    _check_one(service, direct)
    return Way.SERVICE if service > direct else Way.DIRECT


def way_to_write(*, service: Origin, etcd: Origin, standalone: Origin) -> Way:
    """As for reading, but nothing is written directly without the word of the user.

    Raises:
        ConfigError: both are named, equally near; or neither the service nor `--standalone`.
    """
    direct = max(etcd, standalone)
    _check_one(service, direct)
    if service > direct:
        return Way.SERVICE
    if standalone is Origin.NOWHERE:
        raise ConfigError("Writing needs a service, or --standalone.").advising(HOW_TO_WRITE)
    return Way.DIRECT


def _check_one(service: Origin, direct: Origin) -> None:
    if service is direct is not Origin.NOWHERE:
        msg = (
            "Both a service (--url, --context, BPS_URL, BPS_CONTEXT) and the direct way (--etcd, "
            "--standalone, BPS_ETCD_ENDPOINTS, BPS_STANDALONE) are named; name one of them."
        )
        raise ConfigError(msg).advising("Leave one of the two out, or unset its variable.")
