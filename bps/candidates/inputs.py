"""What a candidate is made of, as values that can be compared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One RR-plan that takes part; `label` is its id, `by` who submitted it."""

    label: str
    base_digest: str
    digest: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the policy decides about a candidate, as values that can be compared.

    `validators` are names with their configuration as JSON.
    """

    strategies: tuple[tuple[str, str], ...] = ()
    validators: tuple[tuple[str, bytes], ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
