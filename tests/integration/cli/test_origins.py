"""`bps origins` on the cluster: what came from where of each kind of version, and by `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.edited import edited
from tests.integration.cli.console import Console

PLAN = "EP-8"
BASE = "title: x\n\none: 1\n\ntwo: 2\n\nthree: 3\n"


def fixed(console: Console, tmp_path: Path, name: str, text: str) -> str:
    file = tmp_path / f"{name}.yaml"
    file.write_text(text)
    cause = ("--trace-id", name, "--fingerprint", name, "--op-id", f"open-{name}")
    opened = console.data("branch", "open", PLAN, *cause)
    assert console.bps("branch", "submit", PLAN, opened["branch"], str(file)).code == 0
    return str(opened["rr_plan"])


def told(console: Console, *version: str) -> tuple[str, dict[str, Any]]:
    """How a version was made, and its lines by path."""
    found = console.data("origins", PLAN, *version)
    assert found["left_out"] == 0
    return found["how"], {
        line["path"]: (line["change"], line["sources"], line["before"], line["after"])
        for line in found["explain"]
    }


def test_each_version_says_what_came_from_where(console: Console, tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(BASE)
    assert console.bps("init").code == 0
    assert console.bps("plan", "register", PLAN, str(base)).code == 0
    late = fixed(console, tmp_path, "late", edited(BASE, ("three: 3\n", "three: 3\n\nlate: [1]\n")))
    first = fixed(console, tmp_path, "first", edited(BASE, ("title: x", "title: z")))
    assert console.bps("promote", PLAN, first).code == 0
    one = fixed(
        console, tmp_path, "one", edited(BASE, ("title: x", "title: z"), ("one: 1", "one: 10"))
    )
    two = fixed(
        console, tmp_path, "two", edited(BASE, ("title: x", "title: z"), ("two: 2\n\n", ""))
    )
    assert console.bps("promote", PLAN, one, two).code == 0
    assert console.bps("promote", PLAN, late).code == 0
    assert console.bps("revert", PLAN, "--to", "2").code == 0

    assert told(console, "1") == ("registration", {"": ("added", [], None, None)})
    assert told(console, "2") == ("taken_over", {"": ("changed", [first], None, None)})
    assert told(console, "3") == (
        "merge",
        {"/one": ("changed", [one], 1, 10), "/two": ("deleted", [two], 2, None)},
    )
    assert told(console, "4") == ("merge", {"/late/0": ("added", [late], None, 1)})
    assert told(console) == ("revert", {"": ("changed", ["version 2"], None, None)})

    (verified,) = console.data("verify", PLAN, "--merges")
    assert verified["merges"]["made_again"] == "3"
    assert console.bps("replay", PLAN).code == 0
    events = console.data("log", PLAN)
    merges = [event["data"].get("merge") for event in events if "merge" in event["data"]]
    named = [merge["origins"] for merge in merges if merge is not None and merge["origins"]]
    versions = [console.data("canonical", PLAN, "--version", n)["origins"] for n in ("3", "4")]
    assert named == versions
    console.refused("origins", PLAN, "9", code="NOT_FOUND", exit_code=1)
    console.refused("origins", "EP-9", code="NOT_FOUND", exit_code=1)
