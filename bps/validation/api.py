"""All that a validator sees of BPS: the candidate it judges, and the findings it answers.

A validator is a class without constructor arguments, named by an entry point of the group
`bps.validators`. The entry point's name is the validator's, its distribution's version is its
version. docs/validators.md shows how to write one. Validators veto; they never edit (law 9).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

GROUP = "bps.validators"
"""The entry-point group."""


class Severity(StrEnum):
    """How much a finding weighs; an error blocks promotion, the others are told."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a validator has to say.

    Attributes:
        severity: `error` blocks promotion.
        path: where in the merged blueprint, a JSON Pointer (RFC 6901); "" is the whole. A pointer
            to what is not there is allowed: the nearest parent's line is shown.
        code: which rule, for programs: lower-case words with hyphens, stable over releases.
        message: one sentence for a human.
        hint: what to do now; "" where the message says it.
    """

    severity: Severity
    path: str
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A blueprint that is to become canonical, with what it was made of.

    Data are parsed YAML 1.2 (dates and times are text): dict with text keys, list, str, int,
    float, bool, None. They are the validator's own copies.

    Attributes:
        base: the canonical blueprint before, or None where there is none.
        branches: the contributors' blueprints, by the name of their RR-plans.
        merged: the blueprint to judge; a dict.
        merged_text: its exact text.
        config: this validator's configuration in the policy; {} where it has none.
        policy: the limits of the policy in force, by name.
        base_text: the exact text of `base`, or None. Base and branches are parsed only where
            they are asked for, so that looking into this text first can spare that.
    """

    base: Any
    branches: Mapping[str, Any]
    merged: Any
    merged_text: str
    config: Mapping[str, Any]
    policy: Mapping[str, Any]
    base_text: str | None = None


class Validator(ABC):
    """Base of every validator. A new instance judges each candidate, in a process of its own.

    It must end by itself within its time and memory, and answer the same for the same candidate.
    What it prints goes nowhere but into the report of its crash. An exception, an exit or a wrong
    answer counts as a blocking finding in its name.
    """

    config_schema: ClassVar[Mapping[str, Any]] = {"type": "object", "additionalProperties": False}
    """JSON Schema (2020-12) of its configuration; the default allows none."""

    @abstractmethod
    def validate(self, candidate: Candidate) -> Iterable[Finding]:
        """Judge `candidate`; nothing to say means that it may be promoted."""

    def check_config(self, config: Mapping[str, Any]) -> Sequence[str]:  # noqa: ARG002 - for subclasses
        """What is wrong with a configuration that `config_schema` accepts, one sentence each."""
        return ()
