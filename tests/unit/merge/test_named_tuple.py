"""The quick `NamedTuple` is what `typing` makes of the same declaration."""

from __future__ import annotations

import copy
import pickle
import typing

import pytest

from bps.merge.named_tuple import NamedTuple
from bps.merge.records import Span


class Quick(NamedTuple):
    """What it is."""

    name: str
    size_bytes: int = 3
    parts: tuple[int, ...] = ()

    @property
    def half(self) -> float:
        """Half of it."""
        return self.size_bytes / 2


class Slow(typing.NamedTuple):
    """What it is."""

    name: str
    size_bytes: int = 3
    parts: tuple[int, ...] = ()

    @property
    def half(self) -> float:
        """Half of it."""
        return self.size_bytes / 2


def test_it_is_made_compared_shown_and_replaced_as_the_one_of_typing() -> None:
    for made in ({"name": "x"}, {"name": "x", "parts": (1,)}, {"name": "x", "size_bytes": 4}):
        quick: typing.Any = Quick(**made)
        slow: typing.Any = Slow(**made)
        assert (quick, hash(quick), quick.half) == (slow, hash(slow), slow.half)
        assert repr(quick) == repr(slow).replace("Slow", "Quick")
        assert quick._asdict() == slow._asdict()
        assert quick._replace(name="y") == slow._replace(name="y")
    assert Quick("x", 1, (2,)) == ("x", 1, (2,))
    for name in ("_fields", "_field_defaults", "__doc__", "__match_args__"):
        assert getattr(Quick, name) == getattr(Slow, name)
    assert (Quick.__module__, Quick.__qualname__) == (__name__, "Quick")


def test_wrong_arguments_and_assignments_fail_as_with_the_one_of_typing() -> None:
    kind: typing.Any
    for kind in (Quick, Slow):
        for arguments, named in (((), {}), (("x", 1, (), 2), {}), (("x",), {"other": 1})):
            with pytest.raises(TypeError):
                kind(*arguments, **named)
        with pytest.raises(AttributeError):
            kind("x").name = "y"
        with pytest.raises(AttributeError):
            kind("x").other = "y"


def test_it_can_be_copied_and_pickled() -> None:
    span = Span(1, 2, 3, 4)
    assert copy.deepcopy(span) == span
    found = pickle.loads(pickle.dumps(span))  # noqa: S301 - our own
    assert (type(found), found) == (Span, span)


def test_a_refusal_names_class_and_field_and_what_replaces_nothing_is_refused() -> None:
    kind: typing.Any
    for kind in (Quick, Slow):
        with pytest.raises(TypeError, match=rf"^{kind.__name__}\.__new__\(\).*'name'"):
            kind()
        with pytest.raises(ValueError, match="other"):
            kind("x")._replace(other=1)
        with pytest.raises(TypeError, match="2"):
            kind._make(("x", 1))
        assert kind._make(("x", 1, ())) == ("x", 1, ())


def test_a_field_without_default_behind_one_with_a_default_is_refused() -> None:
    for module in ("bps.merge.named_tuple", "typing"):
        declaration = (
            f"from {module} import NamedTuple\nclass Bad(NamedTuple):\n a: int = 1\n b: int"
        )
        with pytest.raises(TypeError, match="default"):
            exec(declaration, {"__name__": "bad"})  # noqa: S102 - mypy refuses it where it can see it
