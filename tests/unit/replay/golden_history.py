"""Recorded histories: what a release wrote, every later one must verify and replay for ever.

`python -m tests.unit.replay.golden_history NAME` records `golden/NAME.jsonl` with today's code: for
a new event type, a new meaning of one, or a new schema number. A file that is there is never
changed. Each line is a key and its value, as text or, for a blueprint's frame, in hexadecimal;
the first line is what `replay` answered, as a comment on the rest.
"""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from tests.doubles import PLAN
from tests.unit.replay.history import KEYS, Records, lived, replayed

GOLDEN = Path(__file__).parent / "golden"
_PER_STORE = {"revision"}
"""Fields of an answer that depend on the store which the records are loaded into."""


def answer_of(records: Records) -> dict[str, object]:
    """What `replay` proves of these records."""
    return replayed(records).model_dump(mode="json", exclude=_PER_STORE)


def dump(records: Records) -> bytes:
    """As a golden file."""
    lines: list[dict[str, object]] = [{"plan": PLAN, "replayed": answer_of(records)}]
    for key, value in sorted(records.items()):
        stored = {"hex": value.hex()} if key.startswith(KEYS.blobs) else {"text": value.decode()}
        lines.append({"key": key.decode(), **stored})
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def load(path: Path) -> tuple[Records, dict[str, object]]:
    """The records of a golden file, and what `replay` must prove of them."""
    first, *lines = map(orjson.loads, path.read_bytes().splitlines())
    records = {
        line["key"].encode(): bytes.fromhex(line["hex"]) if "hex" in line else line["text"].encode()
        for line in lines
    }
    return records, first["replayed"]


def record(name: str) -> Path:
    """Write a new golden file. Raises FileExistsError."""
    path = GOLDEN / f"{name}.jsonl"
    with path.open("xb") as file:
        file.write(dump(lived()))
    return path


if __name__ == "__main__":
    sys.stdout.write(f"recorded {record(sys.argv[1]).name}\n")
