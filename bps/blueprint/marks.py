"""Where events are in a text, and the refusal of one."""

from __future__ import annotations

from typing import NoReturn, Protocol

from ruamel.yaml.events import Event

from bps.blueprint.rules import Rule, refuse


class Mark(Protocol):
    """A place as libyaml says it; all counted from 0."""

    line: int
    column: int
    index: int


def refuse_at(rule: Rule, event: Event, what: str, hint: str, **more: int) -> NoReturn:
    """Raise InvalidBlueprint for the rule that is broken where `event` starts; else as `refuse`."""
    mark: Mark = event.start_mark
    refuse(rule, mark.line + 1, mark.column + 1, what, hint, **more)
