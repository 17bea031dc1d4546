"""`typing.NamedTuple`, declared in a tenth of its time.

git starts `bps merge` once for each file, and `typing` compiles every annotation of every class:
that took a quarter of the whole command. `collections.namedtuple` still compiles a constructor for
every class. Here one is compiled for each number of fields, and gets their names for each class.
Type checkers see `typing.NamedTuple`; at run time a class has all of its attributes.
"""

from __future__ import annotations

from collections import namedtuple

__all__ = ["NamedTuple"]

TYPE_CHECKING = False  # as in `typing`, which takes as long to import as half of Python
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NamedTuple
else:
    _Function = type(lambda: None)
    _samples = {}
    """A `namedtuple` for each number of fields, whose parts do for every class with as many."""

    def _sample(size: int) -> type[tuple[object, ...]]:
        found = _samples.get(size)
        if found is None:
            names = [f"field_{index}" for index in range(size)]
            found = _samples[size] = namedtuple("sample", names)  # noqa: PYI024 - all are fields
        return found

    def _constructor(
        sample: type[tuple[object, ...]],
        name: str,
        fields: tuple[str, ...],
        defaults: dict[str, object],
    ) -> Callable[..., object]:
        if fields[len(fields) - len(defaults) :] != tuple(defaults):
            raise TypeError(f"a field of {name} without default follows one with a default")
        made = sample.__new__
        names = {"co_name": "__new__", "co_qualname": f"{name}.__new__"}
        code = made.__code__.replace(co_varnames=("_cls", *fields), **names)
        return _Function(code, made.__globals__, "__new__", tuple(defaults.values()))

    def _replace(self: NamedTuple, /, **changes: object) -> NamedTuple:
        """Return a new one with some fields changed."""
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _shown(self: NamedTuple) -> str:
        fields = ", ".join(f"{name}={self[at]!r}" for at, name in enumerate(self._fields))
        return f"{self.__class__.__name__}({fields})"

    class _Declared(type):
        """Makes the annotations of a class its fields, and their values the defaults."""

        def __new__(cls, name: str, bases: tuple[type, ...], space: dict[str, object]) -> type:
            fields = tuple(space.get("__annotations__", ()))
            if not fields:
                return super().__new__(cls, name, bases, space)
            sample = _sample(len(fields))
            defaults = {field: space.pop(field) for field in fields if field in space}
            parts = {
                field: sample.__dict__[own]
                for field, own in zip(fields, sample._fields, strict=True)
            }
            parts |= {
                "__slots__": (),
                "__match_args__": fields,
                "__new__": _constructor(sample, name, fields, defaults),
                "__repr__": _shown,
                "__getnewargs__": sample.__getnewargs__,
                "_fields": fields,
                "_field_defaults": defaults,
                "_asdict": sample._asdict,
                "_make": sample.__dict__["_make"],
                "_replace": _replace,
            }
            return type(name, (tuple,), parts | space)

    class NamedTuple(metaclass=_Declared):
        """What a class is declared by."""
