"""libyaml's parser without the rest of ruamel.yaml, for a process that merges once and ends.

`import _ruamel_yaml` imports all of ruamel.yaml: constructors, representers, the parser in Python.
That is twice the start of Python itself, and git starts `bps merge` for each file. The extension
calls none of it to give events; it takes names from those modules while it is imported, to make
tokens, nodes and errors. Here it gets stand-ins for them. A stand-in that is called after all, as
for a syntax error, imports ruamel.yaml, puts the real names into the extension, and does as its
real one does.

Until then importing what was stood in for fails by name, so that nothing half-made is ever used.
`whole` ends that; call it before anything else of BPS is imported.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PACKAGE = "ruamel.yaml"
_EXTENSION = "_ruamel_yaml"
_LATE = (f"{_PACKAGE}.error", f"{_PACKAGE}.events")
"""Errors to catch, and events to tell apart: the real modules, as soon as one is looked into."""
_UNUSED = tuple(
    f"{_PACKAGE}.{name}"
    for name in (
        *("reader", "scanner", "parser", "composer", "constructor"),
        *("emitter", "serializer", "representer", "resolver", "tokens", "nodes"),
    )
)
"""What the extension takes names from and needs none of for events."""
_ABSENT: Any = None
"""What `sys.modules` holds for a module that cannot be imported (importlib's own rule)."""

_taken: list[tuple[str, str]] = []
"""Module and name of each stand-in that the extension took."""


class _StandInModule(ModuleType):
    """A module of which every public name is a stand-in."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever is asked for
        if name.startswith("_"):
            raise AttributeError(name)
        module = self.__name__
        _taken.append((module, name))

        def stand_in(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the real one
            whole()
            return getattr(sys.modules[module], name)(*args, **kwargs)

        return stand_in


class _LateModule(_StandInModule):
    """A module that is imported when a name of it is asked for, as a text is parsed."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever is asked for
        if name.startswith("_"):
            raise AttributeError(name)
        module = self.__name__
        if sys.modules[module] is self:
            _import_late(module)
        return getattr(sys.modules[module], name)


def quick_yaml() -> None:
    """Import the extension with stand-ins; does nothing where either is imported already.

    Falls back to the ordinary import where this release of ruamel.yaml is made otherwise.
    Cost: 2 ms, for 25 ms of the ordinary import.
    """
    if _PACKAGE in sys.modules or _EXTENSION in sys.modules:
        return
    try:
        _import_with_stand_ins()
    except (ImportError, AttributeError, TypeError):
        whole()


def whole() -> None:
    """Make ruamel.yaml and the extension what an ordinary import makes of them."""
    for name in (_PACKAGE, *_LATE, *_UNUSED):
        found = sys.modules.get(name, _ABSENT)
        if found is None or isinstance(found, _StandInModule):
            sys.modules.pop(name, None)
    from importlib import import_module  # noqa: PLC0415 - a clean merge does without

    # The package imports the extension; its own first, so that the names are there.
    import_module(_PACKAGE)
    extension = import_module(_EXTENSION)
    while _taken:
        module, name = _taken.pop()
        setattr(extension, name, getattr(import_module(module), name))


def _import_with_stand_ins() -> None:
    _stand_in_for_package()
    for name in (*_LATE, *_UNUSED):
        sys.modules[name] = _StandInModule(name)
    import _ruamel_yaml  # noqa: F401, PLC0415 - as the modules are made ready

    sys.modules.update(dict.fromkeys((_PACKAGE, *_UNUSED), _ABSENT))
    for name in _LATE:
        sys.modules[name] = _LateModule(name)


def _stand_in_for_package() -> None:
    import ruamel  # noqa: PLC0415

    package = _StandInModule(_PACKAGE)
    package.__path__ = [f"{path}/yaml" for path in ruamel.__path__]
    sys.modules[_PACKAGE] = package


def _import_late(late: str) -> None:
    """Put a real module, and its classes, where they belong. Cost: 0.6 ms for the events."""
    del sys.modules[late]
    _stand_in_for_package()
    try:
        __import__(late)
    except ImportError:
        # This release of ruamel.yaml is made otherwise.
        whole()
        return
    sys.modules[_PACKAGE] = _ABSENT
    extension, real = sys.modules[_EXTENSION], sys.modules[late]
    for module, name in _taken:
        if module == late:
            setattr(extension, name, getattr(real, name))
