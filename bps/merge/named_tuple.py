"""`typing.NamedTuple`, declared in a fifth of its time.

git starts `bps merge` once for each file, and `typing` compiles every annotation of every class:
that took a quarter of the whole command. Type checkers see `typing.NamedTuple`; at run time a class
is the same `collections.namedtuple`, its annotations left as they are written.
"""

from __future__ import annotations

from collections import namedtuple

__all__ = ["NamedTuple"]

TYPE_CHECKING = False  # as in `typing`, which takes as long to import as half of Python
if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Declared(type):
        """Makes the annotations of a class its fields, and their values the defaults."""

        def __new__(cls, name: str, bases: tuple[type, ...], space: dict[str, object]) -> type:
            fields = space.get("__annotations__")
            if fields is None:
                return super().__new__(cls, name, bases, space)
            defaults = [space.pop(field) for field in fields if field in space]
            base = namedtuple(name, fields, defaults=defaults)  # noqa: PYI024 - this is a typed one
            return type(name, (base,), {"__slots__": (), **space})

    class NamedTuple(metaclass=_Declared):
        """What a class is declared by."""
