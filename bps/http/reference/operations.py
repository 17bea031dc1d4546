"""The page at /docs: each operation with its roles, parameters, example and problems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bps.core.error_catalogue import catalogue
from bps.http.documented import PROBLEMS
from bps.http.openapi import ROLES, operations
from bps.http.reference.curl import curl
from bps.http.reference.html import block, link, page, paragraphs, prose, table
from bps.http.reference.samples import sample

_ERRORS = 400
_SETTING_UP = 'export BPS_URL=http://127.0.0.1:8780 BPS_TOKEN="$(cat token)"'


def reference(document: dict[str, Any]) -> str:
    """The whole page as HTML."""
    tags: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, method, operation in operations(document):
        tags.setdefault(operation.get("tags", ["other"])[0], []).append((path, method, operation))
    return page(document["info"]["title"], _body(document, tags))


def _body(
    document: dict[str, Any], tags: dict[str, list[tuple[str, str, dict[str, Any]]]]
) -> Iterator[str]:
    yield f"<h1>{prose(document['info']['title'])}</h1>"
    yield paragraphs(document["info"]["description"])
    yield f"<p>{link('/openapi.json', 'OpenAPI document')} | {link('/problems', 'Problems')}</p>"
    yield "<p>The examples are run as they are, once this is set:</p>"
    yield block(_SETTING_UP, copy=True)
    yield "<nav>"
    for tag, found in tags.items():
        items = (f"<li>{link('#' + o['operationId'], o['summary'])}</li>" for _, _, o in found)
        yield f"<h2>{prose(tag.capitalize())}</h2>\n<ul>{''.join(items)}</ul>"
    yield "</nav>"
    for tag, found in tags.items():
        yield f"<section>\n<h2>{prose(tag.capitalize())}</h2>"
        for path, method, operation in found:
            yield from _operation(path, method, operation, document)
        yield "</section>"


def _operation(
    path: str, method: str, operation: dict[str, Any], document: dict[str, Any]
) -> Iterator[str]:
    verb = f'<span class="verb">{method.upper()}</span>'
    yield f'<article id="{operation["operationId"]}">\n<h3>{verb} {prose(path)}</h3>'
    yield paragraphs(operation.get("description", operation["summary"]))
    if ROLES in operation:
        yield f'<p class="dim">Roles: {prose(", ".join(operation[ROLES]))}</p>'
    if parameters := operation.get("parameters"):
        yield table(("parameter", "in", "meaning"), map(_parameter, parameters))
    yield block(curl(path, method, operation, document), copy=True)
    yield from _answers(operation, document)
    if PROBLEMS in operation:
        yield f"<details><summary>Problems</summary>\n{_problems(operation[PROBLEMS])}</details>"
    yield "</article>"


def _parameter(parameter: dict[str, Any]) -> tuple[str, str, str]:
    required = ", required" if parameter.get("required") else ""
    described = parameter.get("description") or parameter["schema"].get("description", "")
    return prose(f"`{parameter['name']}`"), parameter["in"] + required, prose(described)


def _answers(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    """The successes, each with what it looks like."""
    for status, answer in sorted(operation["responses"].items()):
        if int(status) >= _ERRORS:
            continue
        yield f"<p><code>{status}</code> {prose(answer['description'])}</p>"
        for media, content in answer.get("content", {}).items():
            shown = content.get("example")
            if media == "application/json":
                made = sample(content.get("schema", {}), document) if shown is None else shown
                yield block(json.dumps(made, indent=2, ensure_ascii=False))
            elif shown is not None:
                yield block(str(shown))
            break


def _problems(codes: list[str]) -> str:
    rows = catalogue()
    found = sorted((rows[code] for code in codes), key=lambda row: (row.http_status, row.code))
    return table(
        ("status", "code", "meaning"),
        (
            (str(row.http_status), link(row.problem_type, row.code), prose(row.meaning))
            for row in found
        ),
    )
