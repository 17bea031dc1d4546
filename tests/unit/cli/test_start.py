"""How `bps` starts: fast, without what it does not need, and quietly when it is stopped."""

from __future__ import annotations

import subprocess
import sys

from tests.unit.cli.invoke import NOWHERE

_HEAVY = ("grpc", "httpx", "fastapi", "uvicorn", "starlette", "deepdiff", "cryptography")
_INTERRUPTED_AT = """
import os, signal, sys

class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupter())
from bps.cli.main import main
main()
"""


def loaded(*arguments: str) -> set[str]:
    """The modules that a refused or helping command has imported by its end."""
    program = f"""
import atexit, sys
atexit.register(lambda: print("modules", *sys.modules, file=sys.__stderr__))
sys.argv = ["bps", *{arguments!r}]
from bps.cli.main import main
main()
"""
    env = {"BPS_ETCD_ENDPOINTS": NOWHERE, "BPS_STANDALONE": "1"}
    done = subprocess.run(
        (sys.executable, "-c", program), env=env, capture_output=True, text=True, check=False
    )
    return set(done.stderr.partition("modules ")[2].split())


def test_help_and_refusals_import_nothing_heavy() -> None:
    for arguments in (("--help",), ("promote", "nonsense"), ("plan", "show", "../etc")):
        modules = loaded(*arguments)
        assert "bps.cli.app" in modules
        assert not modules & set(_HEAVY), (arguments, modules & set(_HEAVY))


def test_ctrl_c_while_it_starts_leaves_no_traceback() -> None:
    done = subprocess.run(
        (sys.executable, "-c", _INTERRUPTED_AT), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-2, "", "")


def test_help_into_a_pipe_that_nobody_reads_is_quiet() -> None:
    bps = f"{sys.executable} -m bps.cli --help | true"
    done = subprocess.run(("bash", "-c", bps), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
