"""How `bps` starts: fast, without what it does not need, and quietly when it is stopped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bps.cli.commands import FUNCTIONS, GROUPS
from tests.checkout import VARIABLE, python_path
from tests.unit.cli.invoke import NOWHERE

_HEAVY = {"grpc", "httpx", "fastapi", "uvicorn", "starlette", "deepdiff", "cryptography"}
_NOT_TO_REFUSE = {*_HEAVY, "ruamel.yaml", "bps.client", "bps.core.codec"}
_NOT_TO_ASK = {
    *(_HEAVY - {"httpx"}),
    *("rich", "pygments", "click", "ruamel.yaml"),
    *("bps.api.requests", "bps.api.outputs", "bps.keyring", "bps.merge", "bps.promotion.promote"),
    *("bps.plans.branches", "bps.review.claim", "bps.store", "bps.workspace"),
}
"""What a request to the service does without; each costs 10 ms or more, most of all the models."""
_NOBODY = ("--url", f"http://{NOWHERE}", "--timeout", "0.05")
_HERE = {VARIABLE: python_path()}
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
    """The modules that a command has imported by its end."""
    program = f"""
import atexit, sys
atexit.register(lambda: print("modules", *filter(sys.modules.get, sys.modules), file=sys.stderr))
sys.argv = ["bps", *{arguments!r}]
from bps.cli.main import main
main()
"""
    done = subprocess.run(
        (sys.executable, "-c", program),
        env=_HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    return set(done.stderr.partition("modules ")[2].split())


def commands_of(modules: set[str]) -> set[str]:
    """Those of them that hold commands."""
    return modules & {f"bps.cli.{name}" for name in {*FUNCTIONS.values(), *GROUPS}}


def test_help_imports_nothing_heavy() -> None:
    modules = loaded("--help")
    assert "bps.cli.app" in modules
    assert modules & _HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (("promote", "nonsense"), "bps.cli.promotion"),
        (("plan", "show", "../etc"), "bps.cli.plan"),
    ],
)
def test_a_refusal_imports_its_command_alone(arguments: tuple[str, ...], needed: str) -> None:
    modules = loaded(*arguments)
    assert commands_of(modules) == {needed}
    assert modules & _NOT_TO_REFUSE == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("canonical", "EP-1"),
        ("review", "claim", "EP-1-RV1"),
        ("promote", "EP-1"),
        ("branch", "open", "EP-1", "--trace-id", "t", "--fingerprint", "f"),
    ],
)
def test_a_command_of_the_service_imports_what_it_asks_for(arguments: tuple[str, ...]) -> None:
    modules = loaded(*_NOBODY, *arguments)
    assert {"httpx", "bps.client.client"} <= modules
    assert modules & _NOT_TO_ASK == set()
    assert len(commands_of(modules)) == 1


def test_what_is_left_at_the_end_is_not_searched_for_garbage() -> None:
    program = """
import atexit, gc, sys
atexit.register(lambda: print("searched", len(gc.get_objects())))
sys.argv = ["bps", "--version"]
from bps.cli.main import main
main()
"""
    out = subprocess.check_output((sys.executable, "-c", program), env=_HERE, text=True)
    assert int(out.partition("searched ")[2]) < 1_000


def test_ctrl_c_while_it_starts_leaves_no_traceback() -> None:
    done = subprocess.run(
        (sys.executable, "-c", _INTERRUPTED_AT), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-2, "", "")


def test_help_into_a_pipe_that_nobody_reads_is_quiet() -> None:
    bps = f"{sys.executable} -m bps.cli --help | true"
    done = subprocess.run(("bash", "-c", bps), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
