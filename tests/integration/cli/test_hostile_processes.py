"""Bad input to real processes, with etcd up and down: exit 2 within 1 s and 64 MiB, no writes.

The tables in tests/unit/cli are the long ones; here is one of each kind. The second is one of CPU
time, since the wall clock of a test machine measures its other work too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.cli.console import Console, environment
from tests.integration.cli.measured import measured
from tests.unit.cli.invoke import NOWHERE, Ran, check_words
from tests.unit.cli.test_hostile_files import ALIAS_BOMB

pytestmark = pytest.mark.cluster

MAX_CPU_S = 1.0
MAX_PEAK_MIB = 64.0


def _file(content: bytes) -> Callable[[Path], str]:
    def write(directory: Path) -> str:
        path = directory / "input"
        path.write_bytes(content)
        return str(path)

    return write


def _fifo(directory: Path) -> str:
    path = directory / "fifo"
    os.mkfifo(path)
    return str(path)


REGISTER = ("plan", "register", "EP-42")
OPEN = ("branch", "open", "EP-42", "--trace-id=T", "--fingerprint=F")
INPUTS: dict[str, tuple[tuple[str, ...], Callable[[Path], str], bytes, str]] = {
    "a pipe without a writer": (REGISTER, _fifo, b"", "INVALID_INPUT"),
    "an endless file": (REGISTER, lambda _: "/dev/zero", b"", "INVALID_INPUT"),
    "1 MiB of nesting": (REGISTER, _file(b"a: " + b"[" * 1_000_000), b"", "BLUEPRINT_REFUSED"),
    "an alias bomb": (REGISTER, _file(ALIAS_BOMB), b"", "BLUEPRINT_REFUSED"),
    "2 MiB on stdin": (REGISTER, lambda _: "-", b"a: 1\n" * 419_430, "BLUEPRINT_REFUSED"),
    "a nested clock": ((*OPEN, "--clock-file"), _file(b"[" * 60_000), b"", "INVALID_INPUT"),
    "a long plan id": (("plan", "show"), lambda _: "EP-" + "9" * 100_000, b"", "INVALID_ID"),
}


@pytest.mark.parametrize("name", INPUTS)
def test_bad_input_is_refused_without_etcd(name: str, tmp_path: Path) -> None:
    arguments, make, stdin, code = INPUTS[name]
    argument = make(tmp_path)
    ran = measured(*arguments, argument, env=environment([NOWHERE]), stdin=stdin)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert f"[{code}]\n" in ran.err
    assert "\nnext: " in ran.err
    check_words(Ran(ran.code, ran.out, ran.err), (*arguments, argument))
    assert ran.cpu_s < MAX_CPU_S
    assert ran.peak_mib < MAX_PEAK_MIB


def test_bad_input_writes_nothing(console: Console, tmp_path: Path) -> None:
    console.bps("init")
    revision = console.revision()
    for name, (arguments, make, stdin, code) in INPUTS.items():
        directory = tmp_path / name
        directory.mkdir()
        ran = console.bps(*arguments, make(directory), stdin=stdin)
        assert (ran.code, ran.out) == (2, "")
        assert f"[{code}]" in ran.err
    assert console.revision() == revision
