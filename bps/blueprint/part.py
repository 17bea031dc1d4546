"""A value that is to stand inside a blueprint, judged by itself."""

from __future__ import annotations

from ruamel.yaml.events import AliasEvent, Event, StreamEndEvent

from bps.blueprint.characters import decode
from bps.blueprint.syntax import judge
from bps.blueprint.walk import Frame, Walk


def check_part(text: str) -> None:
    """Judge a value by those rules of the profile that hold wherever it stands.

    Nothing but comments is accepted, and so is an alias: its anchor may stand elsewhere.

    Raises:
        InvalidBlueprint: as `bps.blueprint.profile.check`; line and column are those in `text`.

    Cost: as `bps.blueprint.profile.check`.
    """
    judge(decode(text.encode("utf-8", "surrogatepass")), _PartWalk)


class _PartWalk(Walk):
    """As if the text stood in a collection that is open already."""

    def __init__(self, text: str) -> None:
        super().__init__(text, frozenset())
        self._frames.append(Frame(None, 0, mapping=False))
        self._handlers[StreamEndEvent] = self._end_of_nothing

    def _end_of_nothing(self, _event: Event) -> None:
        self._ended = True

    def _alias(self, event: AliasEvent) -> None:
        self._anchors.setdefault(event.anchor, (1, 0))
        super()._alias(event)
