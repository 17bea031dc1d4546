"""libyaml's events of a text, also where libyaml 0.1 refuses what YAML allows (`respelling`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from _ruamel_yaml import CParser
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import Event, ScalarEvent

from bps.blueprint.respelling import further, respelled, spelled_back

T = TypeVar("T")


class EventSource(Protocol):
    """The methods used of ruamel.yaml.clib's CParser."""

    def get_event(self) -> Event:
        """The next event. Raises YAMLError."""
        ...

    def raw_parse(self) -> int:
        """Read what is left; the number of its events. Raises YAMLError."""
        ...


class _Respelled:
    """The events of a respelled text with the values of the text itself."""

    def __init__(self, text: str) -> None:
        self._source: EventSource = CParser(text)

    def get_event(self) -> Event:
        event = self._source.get_event()
        if isinstance(event, ScalarEvent):
            event.value = spelled_back(event.value)
        return event

    def raw_parse(self) -> int:
        return self._source.raw_parse()


def read_events(text: str, read: Callable[[EventSource], T]) -> T:
    """What `read` makes of the text's events. It may be called twice, and must begin anew then.

    Raises:
        YAMLError: it is no YAML; told at the place that no spelling mends.

    Cost: twice that of `read` where a plain scalar between brackets holds a colon.
    """
    try:
        return read(CParser(text))
    except YAMLError as error:
        other = respelled(text)
        if other is None:
            raise
        try:
            return read(_Respelled(other))
        except YAMLError as another:
            raise further(error, another) from None
