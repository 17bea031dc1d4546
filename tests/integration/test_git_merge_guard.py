"""git's merge driver where `bps` cannot be started: the shell's exit is a conflict to git."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.integration.git_repository import (
    BASE,
    NAME,
    OURS,
    THEIRS,
    changed,
    drivers_can_stop,
)

PAGES = ("README.md", "docs/merge-command.md")
BY_LINES = """kind: deploy  # how it runs
<<<<<<< ours
owner: ann
replicas: 3
steps: [build, ship]
=======
owner: bob
replicas: 2
steps: [build, test, ship]
>>>>>>> theirs
"""


def drivers_of(page: str) -> list[str]:
    """The driver lines that a page tells its readers to set."""
    text = (ROOT / page).read_text().replace("\\\n", "")
    return re.findall(r"git config --global merge\.bps\.driver\s+'([^']+)'", text)


def test_every_page_tells_the_same_driver() -> None:
    found = [drivers_of(page) for page in PAGES]
    assert len(found[0]) == 1
    assert found == [found[0]] * len(PAGES)


def programs_in(directory: Path, bps: str | None) -> Path:
    """A directory with git, and with a `bps` of that content where one is given."""
    programs = directory / "bin"
    programs.mkdir()
    git = shutil.which("git")
    assert git is not None
    (programs / "git").symlink_to(git)
    if bps is not None:
        (programs / "bps").write_text(bps)
        (programs / "bps").chmod(0o755)
    return programs


@pytest.mark.parametrize(
    ("exit_code", "left", "told"),
    [(0, OURS, 0), (1, OURS, 1), (2, BY_LINES, 129), (130, BY_LINES, 129), (None, BY_LINES, 129)],
)
def test_whatever_git_makes_of_the_exit_no_side_is_lost(
    tmp_path: Path, exit_code: int | None, left: str, told: int
) -> None:
    for name, content in (("O", BASE), ("A", OURS), ("B", THEIRS)):
        (tmp_path / name).write_text(content)
    bps = None if exit_code is None else f"#!/bin/sh\nexit {exit_code}\n"
    programs = programs_in(tmp_path, bps)
    (driver,) = drivers_of("README.md")
    line = re.sub("%([OABP])", r"\1", driver).replace("%L", "7")
    done = subprocess.run(
        ("/bin/sh", "-c", line), cwd=tmp_path, env={"PATH": str(programs)}, check=False
    )
    assert (done.returncode, (tmp_path / "A").read_text()) == (told, left)


@pytest.mark.parametrize("left_over", [None, "#!/no/such/python\n", "no program\0"])
def test_without_a_bps_that_starts_the_merge_stops_and_touches_nothing(
    tmp_path: Path, left_over: str | None
) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS)
    repository.only_programs_in(programs_in(tmp_path, left_over))
    done = repository.merge()
    if not drivers_can_stop():
        assert (done.returncode, repository.unmerged()) == (1, {NAME})
        assert repository.read(NAME) == BY_LINES
        return
    assert done.returncode not in {0, 1}, done
    assert "CONFLICT" not in done.stdout
    assert "bps: " in done.stderr
    assert (repository.read(NAME), repository.unmerged()) == (OURS, set())
    assert repository.git("status", "--porcelain").stdout == ""
