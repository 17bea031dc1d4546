"""Configurations are held against the schema of their class, compiled once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import jsonschema_rs
import pytest

from bps.validation import judging
from bps.validation.api import Candidate, Finding, Validator
from bps.validation.judging import config_problems


class Silent(Validator):
    """Allows no configuration."""

    def validate(self, candidate: Candidate) -> Iterable[Finding]:  # noqa: ARG002
        """Nothing to say."""
        return ()


class Huge(Silent):
    """Its schema holds an integer of more than 64 bits."""

    config_schema: ClassVar[Mapping[str, Any]] = {"properties": {"n": {"maximum": 10**30}}}


def test_a_schema_is_compiled_once_and_again_where_it_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[object] = []
    compile_schema = jsonschema_rs.Draft202012Validator

    def counted(schema: Any) -> Any:
        compiled.append(schema)
        return compile_schema(schema)

    judging._compiled.cache_clear()
    monkeypatch.setattr(jsonschema_rs, "Draft202012Validator", counted)
    with monkeypatch.context() as changed:
        changed.setattr(Silent, "config_schema", {"type": "object", "maxProperties": 1})
        assert [config_problems(Silent(), {"a": 1}) for _ in range(3)] == [[], [], []]
        assert len(compiled) == 1
    assert len(config_problems(Silent(), {"a": 1})) == 1
    assert len(compiled) == 2


def test_a_schema_that_json_cannot_hold_is_used_as_it_is() -> None:
    assert not config_problems(Huge(), {"n": 10**29})
    assert len(config_problems(Huge(), {"n": 10**31})) == 1
