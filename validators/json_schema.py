"""JSON Schema (2020-12 unless `$schema` says otherwise) over the merged blueprint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import jsonschema_rs

from bps.validation.api import Candidate, Finding, Severity, Validator
from validators import pointer


class JsonSchema(Validator):
    """`config`: `schema`, the schema itself; nothing is fetched, so each `$ref` stays inside it."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["schema"],
        "properties": {"schema": {"type": ["object", "boolean"]}},
    }

    def check_config(self, config: Mapping[str, Any]) -> Sequence[str]:
        """Whether the schema is one, and all of it is here."""
        try:
            _compiled(config["schema"])
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            return [f"The schema cannot be used: {str(error).splitlines()[0]}."]
        return ()

    def validate(self, candidate: Candidate) -> Iterable[Finding]:
        """One finding for each violation."""
        schema = _compiled(candidate.config["schema"])
        for error in schema.iter_errors(candidate.merged):
            yield Finding(
                Severity.ERROR,
                pointer.of(error.instance_path),
                "schema-violation",
                f"{error.message}.",
                f"The rule is at {pointer.of(error.schema_path) or 'the root'} of the schema.",
            )


def _compiled(schema: Any) -> jsonschema_rs.Validator:  # noqa: ANN401 - any JSON data
    return jsonschema_rs.validator_for(schema, retriever=_not_fetched)


def _not_fetched(uri: str) -> NoReturn:
    msg = f"{uri} is not in the schema, and nothing is fetched"
    raise ValueError(msg)
