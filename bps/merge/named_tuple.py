"""`typing.NamedTuple`, declared in a tenth of its time.

git starts `bps merge` once for each file, and `typing` compiles every annotation of every class:
that took a quarter of the whole command. `collections.namedtuple` still compiles a constructor for
every class. Here one is compiled for each number of fields, and gets their names for each class;
the rest is `namedtuple`'s.
Type checkers see `typing.NamedTuple`; at run time a class has all of its attributes.
"""

from __future__ import annotations

from collections import namedtuple

__all__ = ["NamedTuple"]

TYPE_CHECKING = False  # as in `typing`, which takes as long to import as half of Python
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NamedTuple
else:
    _Function = type(lambda: None)
    _MOST_FIELDS = 16
    _sample = namedtuple("_sample", [f"field_{n}" for n in range(_MOST_FIELDS)])  # noqa: PYI024
    """Its parts do for every class: a field is read by its place alone."""
    _getters = [_sample.__dict__[name] for name in _sample._fields]
    _constructors = {}
    """The code of `__new__` for each number of fields."""

    def _constructor(
        name: str, fields: tuple[str, ...], defaults: dict[str, object]
    ) -> Callable[..., object]:
        if fields[len(fields) - len(defaults) :] != tuple(defaults):
            raise TypeError(f"a field of {name} without default follows one with a default")
        code = _constructors.get(len(fields))
        if code is None:
            listed = ", ".join(_sample._fields[: len(fields)])
            source = f"lambda _cls, {listed}: made(_cls, ({listed},))"
            code = _constructors[len(fields)] = eval(source, {}).__code__  # noqa: S307 - ours
        names = {"co_name": "__new__", "co_qualname": f"{name}.__new__"}
        code = code.replace(co_varnames=("_cls", *fields), **names)
        return _Function(code, {"made": tuple.__new__}, "__new__", tuple(defaults.values()))

    def _make(cls: type[tuple[object, ...]], values: Iterable[object], /) -> tuple[object, ...]:
        """Return a new one with the values in the order of the fields."""
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

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
            if len(fields) > _MOST_FIELDS:
                raise TypeError(f"{name} has more than {_MOST_FIELDS} fields")
            defaults = {field: space.pop(field) for field in fields if field in space}
            parts = dict(zip(fields, _getters, strict=False))
            parts |= {
                "__slots__": (),
                "__match_args__": fields,
                "__new__": _constructor(name, fields, defaults),
                "__repr__": _shown,
                "__getnewargs__": _sample.__getnewargs__,
                "_fields": fields,
                "_field_defaults": defaults,
                "_asdict": _sample._asdict,
                "_make": classmethod(_make),
                "_replace": _replace,
            }
            return type(name, (tuple,), parts | space)

    class NamedTuple(metaclass=_Declared):
        """What a class is declared by."""
