"""Hostile blueprints cost a process of their own under one second and 64 MiB."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest

MIB = 1_048_576
CPU_LIMIT_S = 1.0
MEMORY_LIMIT_KIB = 64 * 1024

# VmHWM and not ru_maxrss, which a child inherits from the process that started it.
CHILD = """
import json, re, resource, sys
from bps.blueprint.profile import check
from bps.core.errors import InvalidBlueprint
data = sys.stdin.buffer.read()
try:
    check(data)
    rule = None
except InvalidBlueprint as refused:
    rule = refused.facts["rule"]
used = resource.getrusage(resource.RUSAGE_SELF)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
json.dump({
    "rule": rule,
    "cpu_s": used.ru_utime + used.ru_stime,
    "peak_kib": int(peak[1]),
    "heavy": sorted({"pydantic", "grpc", "hypothesis"} & sys.modules.keys()),
}, sys.stdout)
"""


def filled(head: str, unit: str, tail: str = "") -> str:
    """Repeat a unit until the text is just under 1 MiB."""
    room = MIB - len((head + tail).encode())
    return head + unit * (room // len(unit.encode())) + tail


def billion_laughs() -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    return "\n".join(lines)


def numbered(pattern: str, count: int) -> str:
    return "".join(pattern.format(n) for n in range(count))[:MIB]


HOSTILE: dict[str, tuple[str | None, str]] = {
    "billion laughs": ("alias-expansion", billion_laughs()),
    "merge-key bomb": (
        "merge-key",
        "a: &a {x: 1}\n" + numbered("b{0}: &b{0} {{<<: [*a, *a, *a]}}\n", 20_000),
    ),
    "flow sequences, unclosed": ("too-deep", "a: " + "[" * 100_000),
    "flow sequences, a line each": ("too-deep", filled("a: ", "[\n")),
    "flow mappings, unclosed": ("too-deep", filled("", "{a: ")),
    "flow brackets, 1 MiB": ("too-deep", filled("a: ", "[")),
    "block sequences, 100,000 deep": ("too-deep", "a:\n" + "- " * 100_000),
    "block mappings, deep": ("too-deep", "".join(" " * n + "a:\n" for n in range(1_400))),
    "complex keys": ("non-string-key", filled("", "? ")),
    "one long plain line": (None, filled("a: ", "word ", "end")),
    "one long quoted line": (None, filled('a: "', "word ", '"')),
    "escapes": (None, filled('a: "', "\\n", '"')),
    "non-ASCII text": (None, filled("a: ", "\U0001f600")),
    "blank lines": ("empty", filled("", "\n")),
    "carriage returns": ("empty", filled("", "\r")),
    "comments": ("empty", filled("", "#\n")),
    "comments behind the end": (None, filled("a: 1\n...\n", "#\n")),
    "ends": (None, filled("a: 1\n", "...\n")),
    "%TAG lines": ("directive", numbered("%TAG !a{0}! b\n", 60_000)),
    "%TAG lines behind a comment": ("directive", "# x\n" + numbered("%TAG !a{0}! b\n", 60_000)),
    "%TAG lines behind a mapping": ("directive", "a: 1\n" + numbered("%TAG !a{0}! b\n", 60_000)),
    "%TAG lines behind an end": (
        "several-documents",
        "a: 1\n...\n" + numbered("%TAG !a{0}! b\n", 60_000),
    ),
    "documents": ("several-documents", filled("a: 1\n", "---\n")),
    "anchors": ("too-many-nodes", numbered("k{0}: &a{0} x\n", 60_000)),
    "anchored collections, nested": ("too-deep", numbered("&a{0} k{0}: &b{0} {{", 40_000)),
    "aliases": ("alias-expansion", filled("a: &a x\nb: [", "*a, ", "]")),
    "long anchor": (None, filled("a: &", "a", " x")),
    "long tag": ("tag", filled("a: !<", "a", "> x")),
    "short scalars": ("too-many-nodes", filled("a: [", "b,", "]")),
    "scalars below 63 open brackets": ("too-many-nodes", filled("a: " + "[" * 63, "b,", "]" * 63)),
    "empty collections": ("too-many-nodes", filled("a: [", "{},", "]")),
    "keys": ("too-many-nodes", numbered("k{0}: 1\n", 110_000)),
    "keys that stay": (None, numbered("k{0}: 1234567890\n", 49_990)),
    "duplicate keys": ("duplicate-key", filled("", "k: 1\n")),
    "long key": ("syntax", filled("a: 1\n", "k", ": 1")),
    "long explicit key": (None, filled("? ", "k", "\n: 1")),
    "long quoted key": ("syntax", filled('a: 1\n"', "k", '": 1')),
    "huge integer": ("number-out-of-range", filled("a: ", "9")),
    "huge hexadecimal integer": ("number-out-of-range", filled("a: 0x", "f")),
    "huge fraction": ("number-out-of-range", filled("a: 0.", "1")),
    "huge exponent": ("number-out-of-range", filled("a: 1.0e+", "9")),
    "huge sexagesimal": ("ambiguous-scalar", filled("a: 1", ":11")),
    "almost a sexagesimal": (None, filled("a: 1", ":11", "x")),
    "almost a number": (None, filled("a: 1", "_", "x")),
    "unclosed quote": ("syntax", filled("a: '", "x\n")),
    "closing brackets": ("syntax", filled("a: ", "]")),
    "block scalar of blank lines": (None, filled("a: |\n", " \n")),
    "folded scalar": (None, filled("a: >\n", "  x\n")),
    "plain scalar over blank lines": (None, filled("a: b", "\n\n c")),
    "spaces": (None, filled("a:", " ", "b")),
    "tabs": ("syntax", filled("a:\n", "\t", "b: 1")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_cheap(name: str) -> None:
    rule, text = HOSTILE[name]
    data = text.encode()
    assert len(data) <= MIB
    began = time.monotonic()
    child = subprocess.run(
        [sys.executable, "-c", CHILD], input=data, capture_output=True, check=True, timeout=10
    )
    wall_s = time.monotonic() - began
    report: dict[str, Any] = json.loads(child.stdout)
    assert report["rule"] == rule
    assert report["heavy"] == []
    assert report["peak_kib"] < MEMORY_LIMIT_KIB
    # CPU time is the bound, as other processes share the machine; the wall has three times as much.
    assert report["cpu_s"] < CPU_LIMIT_S
    assert wall_s < 3 * CPU_LIMIT_S
