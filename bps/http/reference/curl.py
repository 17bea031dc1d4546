"""The curl command that makes an operation's example request, with $BPS_URL and $BPS_TOKEN."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from bps.http.documented import EXAMPLE
from bps.http.reference.samples import resolve, sample

_BREAK = " \\\n  "
_ETAG = (
    'curl -sS "$BPS_URL"{path} -H "Authorization: Bearer $BPS_TOKEN"'
    " -o /dev/null -w '%header{{etag}}'"
)
"""Prints the ETag of what is at `path`; inside double quotes of a shell's `$(...)`."""


def curl(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    """One command for a POSIX shell; it works as it is where what it names exists."""
    example = operation.get(EXAMPLE, {})
    verb = "" if method == "get" else f" -X {method.upper()}"
    address = _address(path, operation, document)
    parts = [f'curl -sS{verb} "$BPS_URL"{shlex.quote(address)}']
    if "security" in operation:
        parts.append('-H "Authorization: Bearer $BPS_TOKEN"')
    for name, parameter in _parameters(operation, "header"):
        if name == "Idempotency-Key":
            parts.append(f'-H "{name}: {operation["operationId"]}-$(date +%s)"')
        elif name == "If-Match" and "etag_of" in example:
            parts.append(f'-H "If-Match: $({_ETAG.format(path=example["etag_of"])})"')
        elif parameter.get("required"):
            parts.append("-H " + shlex.quote(f"{name}: {_value(parameter, document)}"))
    for name, value in example.get("headers", {}).items():
        parts.append("-H " + shlex.quote(f"{name}: {value}"))
    parts += _body(operation, example, document)
    return _BREAK.join(parts)


def _parameters(operation: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == place:
            yield parameter["name"], parameter


def _value(parameter: dict[str, Any], document: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    if parameter.get("examples"):
        return next(iter(parameter["examples"].values()))["value"]
    if "example" in parameter:
        return parameter["example"]
    return sample(parameter["schema"], document, parameter["name"])


def _address(path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    example = operation.get(EXAMPLE, {})
    for name, parameter in _parameters(operation, "path"):
        value = example.get("path", {}).get(name, _value(parameter, document))
        path = path.replace("{" + name + "}", quote(str(value), safe="()"))
    query = dict(example.get("query", {}))
    for name, parameter in _parameters(operation, "query"):
        if parameter.get("required"):
            query.setdefault(name, _value(parameter, document))
    return path + (f"?{urlencode(query, quote_via=quote)}" if query else "")


def _body(
    operation: dict[str, Any], example: dict[str, Any], document: dict[str, Any]
) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        schema = content["application/json"].get("schema", {})
        body = example.get("body", _request(schema, document))
        yield "-H 'Content-Type: application/json'"
        yield "--data " + shlex.quote(json.dumps(body, ensure_ascii=False))
    elif content:
        media, described = next(iter(content.items()))
        yield f"-H 'Content-Type: {media}'"
        yield "--data-binary " + shlex.quote(described["example"])


def _request(schema: dict[str, Any], document: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """The example of a body without the fields that may be left out and have no example."""
    made = sample(schema, document)
    if not isinstance(made, dict):
        return made
    fields = _fields(schema, document)
    return {
        name: value for name, value in made.items() if value is not None and _is_shown(name, fields)
    }


def _is_shown(name: str, fields: dict[str, Any]) -> bool:
    schema = fields["properties"].get(name, {})
    return name in fields.get("required", []) or "examples" in schema or "example" in schema


def _fields(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    for choice in schema.get("anyOf", [schema]):
        if "$ref" in choice:
            return resolve(choice["$ref"], document)
    return schema
