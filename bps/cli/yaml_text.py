"""YAML output that every reader understands alike.

Text that YAML 1.1 or 1.2 takes for something else (`yes`, `1:30`, `0o17`) is quoted, by the same
rules as the blueprint profile.
"""

from __future__ import annotations

from typing import Any, TextIO

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from bps.blueprint.scalars import Kind, kinds


class _Representer(SafeRepresenter):
    """Quotes what might be misread."""

    def represent_text(self, text: str) -> ScalarNode:
        """A string, plain only where both versions of YAML read it as one.

        What is not printable is escaped, as YAML 1.1 takes some of it for line breaks.
        """
        plain = all(kind is Kind.TEXT for kind in kinds(text))
        style = None if plain else "'"
        style = style if text.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Representer.add_representer(str, _Representer.represent_text)


def dump_yaml(data: Any, stream: TextIO) -> None:  # noqa: ANN401 - any JSON value
    """Write JSON-shaped data as block YAML; long lines are not folded."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.width = 1_000_000
    yaml.allow_unicode = True
    yaml.dump(data, stream)
