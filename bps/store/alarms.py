"""The alarms in a member's status."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ALARM = re.compile(r"alarm:(\w+)")


def alarms_of(errors: Iterable[str]) -> tuple[str, ...]:
    """The names of the alarms in `errors` (etcd's StatusResponse), each once, sorted."""
    return tuple(sorted({name for text in errors for name in _ALARM.findall(text)}))
