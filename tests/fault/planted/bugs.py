"""Bugs to plant: each takes one protection away, so that what should notice it can be tried.

Each is a context manager. A protection that is not where it is looked for is an AttributeError: the
control then fails loudly instead of testing nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol

Bug = Callable[[], AbstractContextManager[None]]


class _Planting(Protocol):
    def __call__(self) -> Iterator[None]: ...


BUGS: Final[dict[str, Bug]] = {}
"""By name."""


def bug(planting: _Planting) -> Bug:
    """Make `planting` a bug under its function's name."""
    made: Bug = contextmanager(planting)
    name: str = planting.__name__  # type: ignore[attr-defined]
    BUGS[name] = made
    return made


@contextmanager
def replaced(owner: Any, name: str, new: Callable[[Any], Any]) -> Iterator[None]:
    """`owner.name` is `new(what it was)` in here. Raises AttributeError where it is not defined."""
    if name not in vars(owner):
        msg = f"{owner.__name__} defines no {name}: the bug takes nothing away"
        raise AttributeError(msg)
    before = vars(owner)[name]
    setattr(owner, name, new(before))
    try:
        yield
    finally:
        setattr(owner, name, before)


def load() -> dict[str, Bug]:
    """All bugs."""
    from tests.fault.planted import (  # noqa: F401, PLC0415 - each registers its own
        decision_bugs,
        lease_bugs,
        outcome_bugs,
        reading_bugs,
    )

    return BUGS
