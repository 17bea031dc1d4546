"""`bps demo`: the whole story in time, nothing left behind, and no claim that is not checked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.checkout import ROOT, SAMPLES
from tests.integration.cli.measured import Measured, measured

MAX_CPU_S = 30.0
"""The story takes less than 30 s on an idle machine with two cores; a test machine is not idle."""

pytestmark = pytest.mark.timeout(180)


def demo(temporary: Path, *arguments: str) -> Measured:
    """Run it with a temporary directory of its own, which must be empty afterwards."""
    temporary.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BPS_")}
    # What a user has set for another etcd must not reach the demonstration's own.
    mine = {"TMPDIR": str(temporary), "BPS_ETCD_USER": "somebody", "BPS_WORKSPACE": "/nowhere"}
    mine["XDG_STATE_HOME"] = str(temporary)  # where a key of the user's own would be
    if "BPS_ETCD_BIN" in os.environ:
        mine["BPS_ETCD_BIN"] = os.environ["BPS_ETCD_BIN"]
    ran = measured("demo", *arguments, env={**kept, **mine}, deadline_s=170)
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []
    return ran


def processes_of(directory: Path) -> list[str]:
    """The command lines of all processes that name `directory`; etcd's names its data."""
    listed = subprocess.run(("ps", "-eo", "args"), capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(directory) in line]


def test_the_story_holds_and_leaves_nothing(tmp_path: Path) -> None:
    ran = demo(tmp_path / "tmp")
    assert ran.code == 0, ran.out + ran.err
    claims = re.findall(r"^ *[0-9.]+ s {4}ok  (.+)$", ran.out, re.MULTILINE)
    assert f"all {len(claims)} claims were checked and hold\n" == ran.err
    for told in (
        "merged into the moved canonical: version 3, not first-writer-wins",
        "OBSOLETE_MERGED",
        "bps verify finds it and names event 5",
        "records equal",
        "etcd is stopped and its data are gone",
    ):
        assert sum(told in claim for claim in claims) == 1, told
    assert sum("exactly once" in claim for claim in claims) == 2
    assert ran.cpu_s < MAX_CPU_S
    seconds = [float(number) for number in re.findall(r"^ *([0-9.]+) s  ", ran.out, re.MULTILINE)]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        (
            "checkout-service.yaml",
            "attempt_timeout_ms: 9000",
            "attempt_timeout_ms: 9001",
            "blueprint_v1.yaml holds 'attempt_timeout_ms: 9000' once",
        ),
        ("payments-platform.yaml", "title: ", "title: &a *a\nno", "plan register EP-43"),
    ],
)
def test_a_claim_that_does_not_hold_is_named(
    tmp_path: Path, name: str, before: str, after: str, told: str
) -> None:
    samples = tmp_path / "samples"
    shutil.copytree(SAMPLES, samples)
    text = (samples / name).read_text()
    assert before in text
    (samples / name).write_text(text.replace(before, after))
    ran = demo(tmp_path / "tmp", "--samples", str(samples))
    assert ran.code == 1
    assert "Not true: " in ran.err
    assert told in ran.err
    assert "[CLAIM_FAILED]\nnext: " in ran.err
    assert "Traceback" not in ran.err


def test_samples_that_are_missing_are_named(tmp_path: Path) -> None:
    ran = demo(tmp_path / "tmp", "--samples", str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert "checkout-service.yaml is missing" in ran.err
    assert "[CONFIG_ERROR]" in ran.err
    assert sys.executable not in ran.err


def test_a_wheel_brings_the_samples(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory")
    subprocess.run((*build, str(tmp_path)), cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        brought = {
            Path(name).name: packed.read(name)
            for name in packed.namelist()
            if name.startswith("bps/demo/samples/")
        }
    assert brought == {each.name: each.read_bytes() for each in SAMPLES.iterdir()}
