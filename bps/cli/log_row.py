"""One event of a log as a line for people: who did what, to what, and why."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from bps.core.ids import ReviewId
from bps.plans.cloudevents import TYPE_PREFIX, rfc3339

_ROOT = "(root)"
_SHOWN = 3
"""How many places or decisions one line names."""
_VALUE_CHARS = 40
"""How much of a typed value it shows."""
COLUMNS = ("id", "time", "type", "by", "what")


def log_row(event: BaseModel) -> dict[str, Any]:
    """The row of a `CloudEvent`; all of it is in the JSON form."""
    fields = event.model_dump()
    return {
        "id": fields["id"],
        "time": fields["time"],
        "type": fields["type"].removeprefix(TYPE_PREFIX),
        "by": fields["bpsoperation"].partition("/")[0],
        "what": _what(fields),
    }


def _what(fields: dict[str, Any]) -> str:
    """The act in one line; the reason last, as it may be long."""
    data, trace = fields["data"], fields["bpstrace"]
    named = data.get("rr_plan") or fields["subject"] or ""
    if not named and "n" in data:
        named = str(ReviewId(fields["source"].removeprefix("/plans/"), int(data["n"])))
    parts = [named]
    if "status" in data:
        parts.append(data["status"])
    if "contributors" in data:
        origin = ", ".join(each["rr_plan"] for each in data["contributors"])
        back = data.get("reverted_to")
        about = f"version {data['version']}" if "version" in data else named
        parts = [about, f"back to {back}" if back else f"from {origin}"]
    if "holds" in data:
        parts += _claim(data, fields["time"])
    if "conflicts_total" in data:
        parts += _to_decide(data)
    if "resolutions" in data:
        made = [decision_text(each) for each in data["resolutions"]]
        parts += _some(made, "decision", len(made))
    if "fingerprint" in data:
        parts += [f"on version {data['base_version']}", data["fingerprint"]]
    if "title" in data:
        parts = [data["title"] or data["initiative"]]
    if trace is not None:
        parts.append(f"trace {trace}")
    if data.get("reason"):
        parts.append(data["reason"])
    return "; ".join(part for part in parts if part)


def _claim(data: dict[str, Any], time: str) -> list[str]:
    """Until when a review is claimed; a claim that ends as it is made is a release."""
    until = rfc3339(data["until_ms"])
    if until == time:
        return ["released"]
    return [f"until {until}", *(["promotions by others wait"] if data["holds"] else [])]


def _to_decide(data: dict[str, Any]) -> list[str]:
    """Of a review that was opened or computed anew: what waits there, and what is decided still."""
    parts = []
    if total := data["conflicts_total"]:
        places = [each["path"] or _ROOT for each in data["conflicts"]]
        parts.append(f"{total} undecided: {', '.join(_some(places, 'place', total))}")
    if findings := data["findings_total"]:
        parts.append(counted(findings, "finding"))
        dropped = [each["path"] or _ROOT for each in data["findings"] if each["code"] == "dropped"]
        if dropped:
            parts.append(f"dropped: {', '.join(_some(dropped, 'decision', len(dropped)))}")
    if data["carried"]:
        parts.append(f"{counted(len(data['carried']), 'decision')} kept")
    return parts


def decision_text(resolution: dict[str, Any]) -> str:
    """What was decided of which place, in one line."""
    take, text = resolution["take"], resolution["text"]
    value = f"take {take}" if take is not None else f"= {_short(text)}"
    return f"{resolution['path'] or _ROOT} {value}"


def _some(told: list[str], what: str, total: int) -> list[str]:
    """The first of `told`, and in a last text how many of `total` are left out."""
    shown = told[:_SHOWN]
    left = total - len(shown)
    return [*shown, f"{left} more {_plural(left, what)}"] if left else shown


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _VALUE_CHARS else f"{line[:_VALUE_CHARS]}..."


def counted(count: int, what: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{count} {_plural(count, what)}"


def _plural(count: int, what: str) -> str:
    return what if count == 1 else f"{what}s"
