"""Which validators a policy asks for, each with its configuration (design, "Validators")."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bps.core.codec import canonical_json

MAX_VALIDATORS = 32
"""Validators of one policy."""
MAX_CONFIG_BYTES = 32_768
"""Configurations of one policy together, as canonical JSON: every write reads the policy."""
_MAX_DEPTH = 32
_MAX_INTEGER = 2**53 - 1
_FIRST_UNSORTED = "\ue000"
"""From here on code points and UTF-16 code units sort differently (RFC 8785, section 3.2.3)."""


def _storable(config: dict[str, Any]) -> dict[str, Any]:
    """Refuse what canonical bytes cannot hold. Raises ValueError."""
    left: list[tuple[Any, int]] = [(config, 1)]
    while left:
        value, depth = left.pop()
        if depth > _MAX_DEPTH:
            raise ValueError(f"a configuration has at most {_MAX_DEPTH} levels")
        if isinstance(value, dict):
            if any(max(key, default="") >= _FIRST_UNSORTED for key in value):
                raise ValueError("a member's name has a character above U+DFFF")
            left.extend((each, depth + 1) for each in value.values())
        elif isinstance(value, list):
            left.extend((each, depth + 1) for each in value)
        elif isinstance(value, float):
            raise ValueError("a configuration holds no fractions; write them in a text")  # noqa: TRY004
        elif isinstance(value, int) and abs(value) > _MAX_INTEGER:
            raise ValueError("a number is beyond 2^53-1")
    return config


class ValidatorUse(BaseModel):
    """A validator by its name, and its configuration: JSON without fractions."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    config: Annotated[dict[str, Any], AfterValidator(_storable)] = Field(default_factory=dict)


def _distinct(uses: list[ValidatorUse]) -> list[ValidatorUse]:
    """Refuse a name twice, and too much together. Raises ValueError."""
    if len({use.name for use in uses}) != len(uses):
        raise ValueError("a validator is named twice")
    try:
        size = sum(len(canonical_json(use.config)) for use in uses)
    except TypeError:
        raise ValueError("a configuration holds text that UTF-8 cannot carry") from None
    if size > MAX_CONFIG_BYTES:
        raise ValueError(f"the configurations have {size} bytes, at most {MAX_CONFIG_BYTES}")
    return uses


ValidatorUses = Annotated[
    list[ValidatorUse], Field(max_length=MAX_VALIDATORS), AfterValidator(_distinct)
]
"""The validators of a policy, each name once."""

DEFAULT_VALIDATORS = [
    ValidatorUse(name="locked-fields"),
    ValidatorUse(name="references"),
    ValidatorUse(name="uniqueness"),
]
"""Of a new store: those that need no configuration, and refuse only what is surely wrong."""
