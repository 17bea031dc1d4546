"""Rules in the Common Expression Language (cel.dev), over `base`, `branches` and `merged`.

Expressions are checked by types before they run, reach nothing but these three variables, and end
by an iteration budget of the library, so that a rule cannot hang.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from cel_expr_python import cel

from bps.validation.api import Candidate, Finding, Severity, Validator

_VARIABLES = ("base", "branches", "merged")


class Cel(Validator):
    """`config`: `rules`, each an `expression` that must be true, and a `message` where not."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["rules"],
        "properties": {
            "rules": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["expression", "message"],
                    "properties": {
                        "expression": {"type": "string"},
                        "message": {"type": "string", "minLength": 1},
                        "path": {"type": "string", "pattern": "^(/|$)"},
                        "severity": {"enum": [each.value for each in Severity]},
                    },
                },
            }
        },
    }

    def check_config(self, config: Mapping[str, Any]) -> Sequence[str]:
        """The rules that do not compile, or never answer true or false."""
        problems = []
        for number, rule in enumerate(config["rules"]):
            try:
                kind = _environment().compile(rule["expression"]).return_type()
            except RuntimeError as error:
                said = " ".join(str(error).partition(" expecting {")[0].split())
                problems.append(f"config/rules/{number}/expression: {said[:400]}.")
                continue
            if kind not in (cel.Type.BOOL, cel.Type.DYN):
                problems.append(
                    f"config/rules/{number}/expression: it answers {kind.name()}, not BOOL."
                )
        return problems

    def validate(self, candidate: Candidate) -> Iterable[Finding]:
        """One finding for each rule that is not true; one that cannot be answered blocks."""
        environment = _environment()
        known = environment.Activation(
            {
                "base": candidate.base,
                "branches": candidate.branches,
                "merged": candidate.merged,
            }
        )
        for number, rule in enumerate(candidate.config["rules"]):
            answer = environment.compile(rule["expression"]).eval(known)
            path, where = rule.get("path", ""), f"Rule {number}: {rule['expression']}"
            if answer.type() != cel.Type.BOOL:
                said = str(answer.value()) if answer.type() == cel.Type.ERROR else "no BOOL"
                message = f"The rule cannot be answered: {said[:400]}."
                yield Finding(Severity.ERROR, path, "rule-not-answered", message, where)
            elif not answer.value():
                severity = Severity(rule.get("severity", Severity.ERROR))
                yield Finding(severity, path, "rule-broken", rule["message"], where)


@cache
def _environment() -> cel.Env:
    """60 ms to make, so once a process."""
    return cel.NewEnv(variables=dict.fromkeys(_VARIABLES, cel.Type.DYN))
