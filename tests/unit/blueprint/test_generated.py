"""What ruamel.yaml's safe dumper writes with quoted strings is accepted, whatever the data."""

from __future__ import annotations

import io
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from bps.blueprint.profile import check


class _Quoting(SafeRepresenter):
    """A safe representer that writes every string in double quotes."""


def _quoted(representer: SafeRepresenter, text: str) -> ScalarNode:
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Quoting.add_representer(str, _quoted)

# I-JSON strings (RFC 7493) without NUL and, as ruamel writes it raw, without U+007F.
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cn"], exclude_characters="\0\x7f")
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
)
_KEYS = _TEXT.filter(lambda key: len(key) <= 40)
_DATA = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=25,
)


def dump(data: dict[str, Any]) -> bytes:
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Quoting
    yaml.default_flow_style = False
    out = io.BytesIO()
    yaml.dump(data, out)
    return out.getvalue()


@given(st.dictionaries(_KEYS, _DATA, max_size=6))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_safe_dump_is_accepted(data: dict[str, Any]) -> None:
    text = dump(data)
    # ruamel writes 1e22 as 1e+22, which YAML 1.1 reads as text: not ours to accept.
    text = re.sub(rb"(?<![\w\".])(-?\d+)(e[-+]\d+)(?![\w\".])", rb"\1.0\2", text)
    check(text)
