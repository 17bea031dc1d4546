"""Where a command goes, for every combination of what is named."""

from __future__ import annotations

import itertools

import pytest

from bps.cli.way import Origin, Way, way_to_read, way_to_write
from bps.core.errors import ConfigError

NO, CONTEXT, ENV, ARG = Origin


@pytest.mark.parametrize(
    ("service", "etcd", "standalone", "read", "write"),
    [
        (NO, NO, NO, Way.DIRECT, None),
        (NO, ARG, NO, Way.DIRECT, None),
        (NO, NO, ARG, Way.DIRECT, Way.DIRECT),
        (NO, ENV, ARG, Way.DIRECT, Way.DIRECT),
        (CONTEXT, NO, NO, Way.SERVICE, Way.SERVICE),
        (CONTEXT, ENV, NO, Way.DIRECT, None),
        (CONTEXT, NO, ENV, Way.DIRECT, Way.DIRECT),
        (CONTEXT, NO, ARG, Way.DIRECT, Way.DIRECT),
        (ENV, NO, NO, Way.SERVICE, Way.SERVICE),
        (ENV, ENV, NO, None, None),
        (ENV, NO, ENV, None, None),
        (ENV, ARG, NO, Way.DIRECT, None),
        (ENV, NO, ARG, Way.DIRECT, Way.DIRECT),
        (ENV, ENV, ARG, Way.DIRECT, Way.DIRECT),
        (ARG, NO, NO, Way.SERVICE, Way.SERVICE),
        (ARG, ENV, ENV, Way.SERVICE, Way.SERVICE),
        (ARG, ARG, NO, None, None),
        (ARG, NO, ARG, None, None),
    ],
)
def test_the_nearer_one_wins_and_a_tie_is_refused(
    service: Origin, etcd: Origin, standalone: Origin, read: Way | None, write: Way | None
) -> None:
    for way, expected in ((way_to_read, read), (way_to_write, write)):
        if expected is None:
            with pytest.raises(ConfigError):
                way(service=service, etcd=etcd, standalone=standalone)
        else:
            assert way(service=service, etcd=etcd, standalone=standalone) is expected


def test_nothing_is_written_directly_without_the_word_of_the_user() -> None:
    for service, etcd in itertools.product(Origin, repeat=2):
        try:
            way = way_to_write(service=service, etcd=etcd, standalone=Origin.NOWHERE)
        except ConfigError:
            continue
        assert way is Way.SERVICE
