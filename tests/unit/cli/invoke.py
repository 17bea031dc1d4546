"""Running a command in this process, with an etcd that is not there."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

import bps
from bps.cli.app import app

NOWHERE = "127.0.0.1:1"
"""Nothing listens there: whoever connects needs seconds, and exits 75."""
_MACHINE = (sys.prefix, str(Path(bps.__file__).parents[1]), str(Path.home()), "site-packages")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str
    out_bytes: bytes = b""

    @property
    def problem(self) -> dict[str, Any]:
        """The problem JSON (RFC 9457) on standard error."""
        found: dict[str, Any] = orjson.loads(self.err[self.err.index("{") :])
        return found


def invoke(
    *arguments: str, env: Mapping[str, str | None] | None = None, stdin: bytes | None = None
) -> Ran:
    """Run `bps ARGUMENTS`; an exception that is no exit is the test's."""
    environment = {
        "BPS_ETCD_ENDPOINTS": NOWHERE,
        "BPS_STANDALONE": "1",
        "BPS_ALLOW_OLD_ETCD": "1",
        "BPS_WORKSPACE": None,
        "BPS_PRINCIPAL": None,
        "BPS_URL": None,
        "BPS_CONTEXT": None,
        "BPS_TOKEN": None,
        "BPS_TOKEN_FILE": None,
        "NO_COLOR": None,
        **(env or {}),
    }
    with CliRunner().isolation(input=stdin, env=environment) as (out, err, _):
        # As `CliRunner.invoke` does it, but that builds the whole tree of commands for each call.
        try:
            _command().main(list(arguments), prog_name="bps")
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        sys.stdout.flush()
        sys.stderr.flush()
        out_bytes = out.getvalue()
        return Ran(code, out_bytes.decode(), err.getvalue().decode(), out_bytes)


@cache
def _command() -> TyperGroup:
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def refused(
    *arguments: str,
    code: str,
    exit_code: int = 2,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
) -> dict[str, Any]:
    """Run `bps ARGUMENTS -o json`, which must refuse before it connects; its problem."""
    # Options do not follow `--`.
    at = arguments.index("--") if "--" in arguments else len(arguments)
    ran = invoke(*arguments[:at], "-o", "json", *arguments[at:], env=env, stdin=stdin)
    assert (ran.code, ran.out) == (exit_code, ""), (arguments, ran)
    problem = ran.problem
    assert problem["code"] == code, (arguments, problem)
    assert problem["next_action"]
    check_words(ran, (*arguments, *(env or {}).values()))
    return problem


def check_words(ran: Ran, arguments: tuple[str, ...]) -> None:
    """No traceback, nothing endless, and no path of this machine that was not typed."""
    assert "Traceback" not in ran.err
    assert len(ran.err) < 3_000
    typed = " ".join(arguments)
    for path in (*_MACHINE, tempfile.gettempdir()):
        assert path in typed or path not in ran.err, ran.err
