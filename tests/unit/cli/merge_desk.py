"""Three versions of a file on which `bps merge` is run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.unit.cli.invoke import Ran, check_words, invoke

BASE = "owner: ann\nreplicas: 2\nsteps: [build, ship]\n"
A = "owner: eve\nreplicas: 3\nsteps: [build, ship]  # in order\n"
B = "owner: ann\nreplicas: 2\nsteps: [build, test, ship]\n"
MERGED = "owner: eve\nreplicas: 3\nsteps: [build, test, ship]  # in order\n"
OTHER = "owner: bob\nreplicas: 2\nsteps: [build, test, ship]\n"
MARKED = (
    "<<<<<<< branch A\nowner: eve\n||||||| canonical\nowner: ann\n=======\nowner: bob\n"
    ">>>>>>> branch B\nreplicas: 3\nsteps: [build, test, ship]  # in order\n"
)


class Desk:
    """A directory with three versions, where `bps merge` is run, quickly and by Typer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.put("base", BASE)
        self.put("a", A)
        self.put("b", B)

    def put(self, name: str, content: str | bytes) -> Path:
        data = content.encode() if isinstance(content, str) else content
        (self.path / name).write_bytes(data)
        return self.path / name

    def read(self, name: str) -> str:
        return (self.path / name).read_bytes().decode()

    def quickly(self, *arguments: str, stdin: bytes = b"", **options: Any) -> Ran:
        done = subprocess.run(
            (sys.executable, "-m", "bps.cli", "merge", *arguments),
            cwd=self.path,
            input=stdin,
            capture_output=True,
            check=False,
            **options,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), done.stdout)

    def both_ways(self, *arguments: str, stdin: bytes = b"") -> Ran:
        """What the process says is what Typer's command says, in this process."""
        before = {path: path.read_bytes() for path in self.path.iterdir() if path.is_file()}
        quick = self.quickly(*arguments, stdin=stdin)
        after = {path: path.read_bytes() for path in self.path.iterdir() if path.is_file()}
        for path in after:
            path.unlink()
        for path, data in before.items():
            path.write_bytes(data)
        here = Path.cwd()
        os.chdir(self.path)
        try:
            slow = invoke("merge", *arguments, stdin=stdin)
        finally:
            os.chdir(here)
        assert slow == quick
        assert after == {p: p.read_bytes() for p in self.path.iterdir() if p.is_file()}
        return quick

    def refused(self, *arguments: str, field: str, stdin: bytes = b"") -> str:
        """The message of a refusal; nothing is written."""
        before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in self.files()}
        ran = self.both_ways(*arguments, "--format", "json", stdin=stdin)
        told = self.quickly(*arguments, stdin=stdin)
        problem = ran.problem
        assert (ran.code, ran.out, told.code, told.out) == (2, "", 2, "")
        assert (problem["code"], problem["facts"]["field"]) == ("INVALID_INPUT", field)
        detail = str(problem["detail"])
        assert told.err.startswith(f"error: {detail} [INVALID_INPUT]\n")
        check_words(told, arguments)
        assert {p: p.read_bytes() for p in self.files()} == {p: d for p, (d, _) in before.items()}
        return detail

    def files(self) -> list[Path]:
        return [path for path in self.path.iterdir() if path.is_file()]
