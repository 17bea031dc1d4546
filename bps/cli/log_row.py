"""One event of a log as a line for people: who did what, to what, and why."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from bps.plans.cloudevents import TYPE_PREFIX

COLUMNS = ("id", "time", "type", "by", "what")


def log_row(event: BaseModel) -> dict[str, Any]:
    """The row of a `CloudEvent`; all of it is in the JSON form."""
    fields = event.model_dump()
    return {
        "id": fields["id"],
        "time": fields["time"],
        "type": fields["type"].removeprefix(TYPE_PREFIX),
        "by": fields["bpsoperation"].partition("/")[0],
        "what": _what(fields["data"], fields["subject"], fields["bpstrace"]),
    }


def _what(data: dict[str, Any], subject: str | None, trace: str | None) -> str:
    """The act in one line; the reason last, as it may be long."""
    named = data.get("rr_plan") or subject or ""
    parts = [named or f"review {data['n']}"] if "n" in data else [named]
    if "status" in data:
        parts.append(data["status"])
    if "contributors" in data:
        origin = ", ".join(each["rr_plan"] for each in data["contributors"])
        back = data.get("reverted_to")
        named = [f"version {data['version']}"] if "version" in data else parts
        parts = [*named, f"back to {back}" if back else f"from {origin}"]
    if "fingerprint" in data:
        parts += [f"on version {data['base_version']}", data["fingerprint"]]
    if "title" in data:
        parts = [data["title"] or data["initiative"]]
    if trace is not None:
        parts.append(f"trace {trace}")
    if data.get("reason"):
        parts.append(data["reason"])
    return "; ".join(part for part in parts if part)
