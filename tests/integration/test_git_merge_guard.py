"""git's merge driver where `bps` cannot be started: the shell's exit is a conflict to git."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.integration.git_repository import BASE, NAME, OURS, THEIRS, changed

PAGES = ("README.md", "docs/merge-command.md")


def drivers_of(page: str) -> list[str]:
    """The driver lines that a page tells its readers to set."""
    text = (ROOT / page).read_text().replace("\\\n", "")
    return re.findall(r"git config --global merge\.bps\.driver\s+'([^']+)'", text)


def test_every_page_tells_the_same_driver() -> None:
    found = [drivers_of(page) for page in PAGES]
    assert len(found[0]) == 1
    assert found == [found[0]] * len(PAGES)


@pytest.mark.parametrize("left_over", [None, "#!/no/such/python\n", "no program\0"])
def test_without_a_bps_that_starts_the_merge_stops_and_touches_nothing(
    tmp_path: Path, left_over: str | None
) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS)
    programs = tmp_path / "bin"
    programs.mkdir()
    git = shutil.which("git")
    assert git is not None
    (programs / "git").symlink_to(git)
    if left_over is not None:
        (programs / "bps").write_text(left_over)
        (programs / "bps").chmod(0o755)
    repository.only_programs_in(programs)
    done = repository.merge()
    assert done.returncode not in {0, 1}, done
    assert "CONFLICT" not in done.stdout
    assert "bps: " in done.stderr
    assert (repository.read(NAME), repository.unmerged()) == (OURS, set())
    assert repository.git("status", "--porcelain").stdout == ""
