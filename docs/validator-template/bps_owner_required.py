"""Every blueprint names its owner; a validator to copy and change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from bps.validation.api import Candidate, Finding, Severity, Validator


class OwnerRequired(Validator):
    """`config`: `field`, the root key that holds the owner; default: `owner`."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"field": {"type": "string"}},
    }

    def check_config(self, config: Mapping[str, Any]) -> Sequence[str]:
        """What a schema cannot say."""
        return ["config/field: it is empty."] if config.get("field") == "" else []

    def validate(self, candidate: Candidate) -> Iterable[Finding]:
        """One finding where nobody is named, a warning where the owner changes."""
        field = candidate.config.get("field", "owner")
        owner = candidate.merged.get(field)
        if not owner:
            yield Finding(
                Severity.ERROR,
                f"/{field}",
                "owner-missing",
                "The blueprint names no owner.",
                f"Add `{field}: NAME` at the top.",
            )
        elif candidate.base is not None and candidate.base.get(field, owner) != owner:
            yield Finding(Severity.WARNING, f"/{field}", "owner-changed", "The owner changes.")
