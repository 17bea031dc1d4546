"""Two sides that each edited a blueprint, far from each other or in neighbouring keys."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.blueprints import sentence

EDITS = 20
SIZES = {"10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000}
_TASKS_A_SECTION = 8
_OWNERS = ("domain-modeller", "api-designer", "sre-on-call", "data-engineer", "qa-lead")
_HEADER = """\
# Blueprint made for benchmarks, in the layout of docs/samples.
title: Checkout service
name: checkout-service
version: 4
plan_type: EXECUTION
owner:
  persona: blueprint-architect
  contact: "#commerce-checkout"

summary: |
  The checkout service turns a cart into exactly one order.

  A client may repeat any request; the key decides whether it is the same one.

interfaces:
  provides:
    - {method: POST, path: /orders, schema: order-request-v3}
    - {method: GET, path: "/orders/{order_id}", schema: order-v3}

# Limits that more than one task relies on.
limits:
  max_lines_per_cart: 200
  reservation_ttl_s: 900   # seconds

tasks:
"""
_LINES_A_TASK = 14
_SCATTERED = (1, 4, 7, 10)
"""Lines of a task that are edited when edits are scattered: no two of them touch."""
_OWNER, _ESTIMATE = 2, 3
"""Lines of a task that are neighbours."""


class Versions(NamedTuple):
    """What a three-way merge is given, and `merged`: the base with the edits of both sides."""

    base: str
    a: str
    b: str
    merged: str

    @property
    def inputs(self) -> tuple[str, str, str]:
        """The three texts that are given."""
        return self.base, self.a, self.b

    @property
    def size_bytes(self) -> int:
        """The bytes of the three."""
        return sum(len(text.encode()) for text in self.inputs)


def scattered(size_bytes: int, seed: int) -> Versions:
    """`EDITS` changed lines a side; a line that both kept is between any two of them."""
    source = random.Random(seed)
    lines, tasks = _blueprint(source, size_bytes)
    places = [task + line for task in tasks for line in _SCATTERED]
    chosen = source.sample(places, 2 * EDITS)
    return _versions(source, lines, chosen[:EDITS], chosen[EDITS:])


def neighbouring(size_bytes: int, seed: int) -> Versions:
    """In `EDITS` tasks side A changes the owner and side B the estimate one line below."""
    source = random.Random(seed)
    lines, tasks = _blueprint(source, size_bytes)
    chosen = source.sample(tasks, EDITS)
    return _versions(
        source, lines, [task + _OWNER for task in chosen], [task + _ESTIMATE for task in chosen]
    )


def _blueprint(source: random.Random, size_bytes: int) -> tuple[list[str], list[int]]:
    """The lines of a blueprint of at least that size and `EDITS` tasks; where its tasks begin."""
    lines = _HEADER.splitlines()
    size, tasks = len(_HEADER), list[int]()
    while size < size_bytes or len(tasks) < EDITS:
        number = len(tasks) + 1
        task = _task(source, number)
        if number % _TASKS_A_SECTION == 1:
            heading = f"  # --- {sentence(source, 2)} "
            task.insert(0, heading.ljust(90, "-"))
        tasks.append(len(lines) + len(task) - _LINES_A_TASK)
        lines += task
        size += sum(len(line) + 1 for line in task)
    return lines[:-1], tasks


def _task(source: random.Random, number: int) -> list[str]:
    name = f"task_{number:03d}"
    return [
        f"  - id: {name}",
        f"    title: {sentence(source, 5)}",
        f"    owner: {source.choice(_OWNERS)}",
        f"    estimate_h: {source.randint(1, 40)}",
        f"    depends_on: [task_{source.randint(1, number):03d}]   # {sentence(source, 3)}",
        "    description: >",
        f"      {sentence(source, 8)}.",
        f"      {sentence(source, 8)}.",
        "    acceptance:",
        f"      - {sentence(source, 6)}.",
        f'      - "`{name}` {sentence(source, 5)}."',
        "    validation:",
        f"      - {{run: make test-{number}, timeout_s: {source.randint(1, 20) * 60}}}",
        "",
    ]


def _versions(
    source: random.Random, lines: Sequence[str], by_a: Sequence[int], by_b: Sequence[int]
) -> Versions:
    edits_a, edits_b = ({at: _changed(source, lines[at]) for at in each} for each in (by_a, by_b))
    edits: list[dict[int, str]] = [{}, edits_a, edits_b, edits_a | edits_b]
    return Versions(*(_edited(lines, each) for each in edits))


def _edited(lines: Sequence[str], edits: dict[int, str]) -> str:
    return "".join(f"{edits.get(at, line)}\n" for at, line in enumerate(lines))


def _changed(source: random.Random, line: str) -> str:
    """The line with another value, or one more word where it is prose."""
    key, colon, value = line.partition(": ")
    if key.endswith("estimate_h"):
        return f"{key}{colon}{int(value) + source.randint(41, 80)}"
    if key.endswith("depends_on"):
        return line.replace("]", f", task_{source.randint(1, 9):03d}]", 1)
    if key.endswith("owner"):
        return f"{line}-{source.randint(2, 9)}"
    word = sentence(source, 1).lower()
    head, dot, tail = line.rpartition(".")
    return f"{head} {word}{dot}{tail}" if dot else f"{line} {word}"
