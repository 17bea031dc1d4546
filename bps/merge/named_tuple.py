"""`typing.NamedTuple`, declared in a twentieth of its time.

git starts `bps merge` once for each file, and `typing` compiles every annotation and a constructor
for every class: that took a quarter of the whole command. Type checkers see `typing.NamedTuple`; at
run time there is what of it BPS uses, and nothing is compiled.
"""

from __future__ import annotations

from operator import itemgetter

TYPE_CHECKING = False  # as in `typing`, which takes as long to import as half of Python
if TYPE_CHECKING:
    from typing import Any, NamedTuple, Self

__all__ = ["NamedTuple"]

_NONE_GIVEN: Any = object()


class _Declared(type):
    """Makes the annotations of a class its fields, and their values the defaults."""

    _fields: tuple[str, ...]
    _defaults: tuple[Any, ...]
    """A default for each field, `_NONE_GIVEN` where it has none."""

    def __new__(cls, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> _Declared:
        fields = tuple(space.get("__annotations__", ()))
        space["_defaults"] = tuple([space.get(field, _NONE_GIVEN) for field in fields])
        space.update({field: property(itemgetter(i)) for i, field in enumerate(fields)})
        space["_fields"] = space["__match_args__"] = fields
        space["__slots__"] = ()
        return super().__new__(cls, name, bases, space)


class _Record(tuple["Any", ...], metaclass=_Declared):  # noqa: SLOT001 - its metaclass says so
    """A tuple whose places have names."""

    def __new__(cls, *values: Any, **named: Any) -> Self:  # noqa: ANN401 - its fields say
        """Fields by place, then by name, then by default.

        Raises:
            TypeError: a field is missing, unknown or given twice.
        """
        given = len(values)
        if given != len(cls._fields) or named:
            values += tuple(map(named.pop, cls._fields[given:], cls._defaults[given:]))
            if named or len(values) != len(cls._fields) or values.count(_NONE_GIVEN):
                msg = f"{cls.__name__} takes {', '.join(cls._fields)}"
                raise TypeError(msg)
        return tuple.__new__(cls, values)

    def __getnewargs__(self) -> tuple[Any, ...]:
        """The fields, for copies and pickles."""
        return tuple(self)

    def __repr__(self) -> str:
        shown = (f"{field}={value!r}" for field, value in self._asdict().items())
        return f"{type(self).__name__}({', '.join(shown)})"

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(type(self)._fields, self, strict=True))

    def _replace(self, **changed: Any) -> Self:  # noqa: ANN401 - as above
        """The same with other values. Raises TypeError for a field that is none."""
        return type(self)(**{**self._asdict(), **changed})


if not TYPE_CHECKING:
    NamedTuple = _Record
