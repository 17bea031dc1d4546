"""Real `git merge` with `bps merge` as its driver, set up by the README's own lines."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

BASE = "kind: deploy  # how it runs\nowner: ann\nreplicas: 2\nsteps: [build, ship]\n"
OURS = BASE.replace("replicas: 2", "replicas: 3")
THEIRS = BASE.replace("ann", "bob").replace("build, ship", "build, test, ship")
MERGED = "kind: deploy  # how it runs\nowner: bob\nreplicas: 3\nsteps: [build, test, ship]\n"
NAME = "deploy.yaml"
Files = Mapping[str, str | bytes | None]


PAGES = ("README.md", "docs/merge-command.md")


def setup_lines() -> list[list[str]]:
    """The README's commands that set the driver up."""
    text = (ROOT / "README.md").read_text()
    found = [
        line[2:] for line in text.splitlines() if line.startswith(("$ git config ", "$ printf "))
    ]
    assert len(found) == 3
    return [shlex.split(line) for line in found]


def drivers_of(page: str) -> list[str]:
    """The driver lines that a page tells its readers to set."""
    text = (ROOT / page).read_text().replace("\\\n", "")
    return re.findall(r"git config --global merge\.bps\.driver\s+'([^']+)'", text)


class Repository:
    """A repository with two branches that each change what the first commit holds."""

    def __init__(self, path: Path, base: Files, ours: Files, theirs: Files) -> None:
        self.path = path / "repository"
        self.path.mkdir()
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
            "HOME": str(path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
        }
        *settings, (_, form, *patterns, _, _) = setup_lines()
        for command in settings:
            self._run(*command)
        for name, value in (
            ("user.name", "Ann"),
            ("user.email", "ann@example.org"),
            ("core.autocrlf", "false"),
            ("core.quotePath", "false"),
            ("merge.renames", "true"),
        ):
            self._run("git", "config", "--global", name, value)
        self._run("git", "init", "--quiet", "--initial-branch", "main")
        attributes = "".join(form % pattern for pattern in patterns).replace("\\n", "\n")
        self.commit({".gitattributes": attributes, **base})
        self._run("git", "checkout", "--quiet", "-b", "theirs")
        self.commit(theirs)
        self._run("git", "checkout", "--quiet", "main")
        self.commit(ours)

    def _run(self, *command: str) -> None:
        done = self.git(*command[1:])
        assert done.returncode == 0, done

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("git", *arguments),
            cwd=self.path,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )

    def commit(self, files: Files) -> None:
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self._run("git", "add", "--all")
        self._run("git", "commit", "--quiet", "--allow-empty", "--message", "change")

    def only_programs_in(self, directory: Path) -> None:
        """From now on git finds programs there alone."""
        self._env["PATH"] = str(directory)

    def merge(self) -> subprocess.CompletedProcess[str]:
        return self.git("merge", "--no-edit", "theirs")

    def read(self, name: str) -> str:
        return (self.path / name).read_bytes().decode()

    def unmerged(self) -> set[str]:
        return set(self.git("diff", "--name-only", "--diff-filter=U").stdout.splitlines())

    def leftovers(self) -> list[str]:
        """Files that git knows nothing of."""
        return self.git("ls-files", "--others").stdout.splitlines()


def changed(path: Path, base: str, ours: str, theirs: str, name: str = NAME) -> Repository:
    return Repository(path, {name: base}, {name: ours}, {name: theirs})


@pytest.mark.parametrize(
    "name", [NAME, "deploy.yml", "a b/it's $HOME.yaml", "-o.yaml", "größe/☂.yaml", "--policy.yaml"]
)
def test_changes_of_neighbouring_lines_merge_whatever_the_file_is_called(
    tmp_path: Path, name: str
) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS, name)
    done = repository.merge()
    assert (done.returncode, repository.read(name)) == (0, MERGED), done
    assert (repository.unmerged(), repository.leftovers()) == (set(), [])


def test_without_the_driver_those_lines_are_in_each_other_s_way(tmp_path: Path) -> None:
    assert changed(tmp_path, BASE, OURS, THEIRS, "deploy.txt").merge().returncode == 1


def test_a_conflict_leaves_markers_around_its_node_and_the_file_unmerged(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS.replace("ann", "eve"), THEIRS)
    done = repository.merge()
    assert done.returncode == 1
    assert "CONFLICT (content)" in done.stdout
    assert f"bps merge: {NAME}: conflict: /owner: both_modified" in done.stderr
    base = repository.git("rev-parse", "--short", "main~1").stdout.strip()
    assert repository.read(NAME) == (
        "kind: deploy  # how it runs\n"
        f"<<<<<<< HEAD\nowner: eve\n||||||| {base}\nowner: ann\n=======\nowner: bob\n"
        ">>>>>>> theirs\nreplicas: 3\nsteps: [build, test, ship]\n"
    )
    assert repository.unmerged() == {NAME}
    assert repository.leftovers() == []
    assert repository.git("commit", "--all", "--message", "no").returncode == 0


def test_only_the_files_in_conflict_stay_unmerged(tmp_path: Path) -> None:
    base, other = {NAME: BASE, "other.yaml": BASE}, {NAME: THEIRS, "other.yaml": THEIRS}
    ours = {NAME: OURS, "other.yaml": OURS.replace("ann", "eve")}
    repository = Repository(tmp_path, base, ours, other)
    assert repository.merge().returncode == 1
    assert repository.unmerged() == {"other.yaml"}
    assert repository.read(NAME) == MERGED


def test_a_file_added_on_both_sides_is_a_conflict_that_loses_nothing(tmp_path: Path) -> None:
    repository = Repository(tmp_path, {}, {NAME: "a: 1\nb: 1\n"}, {NAME: "a: 2\nc: 1\n"})
    done = repository.merge()
    assert (done.returncode, repository.unmerged()) == (1, {NAME})
    for line in ("<<<<<<< HEAD\n", "a: 1\n", "b: 1\n", "=======\n", "a: 2\n", "c: 1\n"):
        assert line in repository.read(NAME)


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    texts = [text.replace("\n", "\r\n") for text in (BASE, OURS, THEIRS)]
    repository = changed(tmp_path, *texts)
    assert repository.merge().returncode == 0
    assert repository.read(NAME) == MERGED.replace("\n", "\r\n")


def test_a_file_that_one_side_deleted_is_git_s_own_conflict(tmp_path: Path) -> None:
    repository = Repository(tmp_path, {NAME: BASE}, {NAME: None}, {NAME: THEIRS})
    done = repository.merge()
    assert done.returncode == 1
    assert "CONFLICT (modify/delete)" in done.stdout
    assert repository.read(NAME) == THEIRS


def test_a_key_deleted_on_one_side_and_changed_on_the_other_is_a_conflict(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, BASE.replace("owner: ann\n", ""), THEIRS)
    assert repository.merge().returncode == 1
    assert "owner: bob\n" in repository.read(NAME)
    assert "steps: [build, test, ship]\n" in repository.read(NAME)


def test_a_template_that_is_no_yaml_is_merged_as_git_would(tmp_path: Path) -> None:
    base = "{{- if .Values }}\nname: x\n\n\nport: 1\n{{- end }}\n"
    repository = changed(
        tmp_path, base, base.replace("name: x", "name: y"), base.replace("port: 1", "port: 2")
    )
    done = repository.merge()
    assert done.returncode == 0
    assert repository.read(NAME) == base.replace("name: x", "name: y").replace("port: 1", "port: 2")
    assert "merged by lines instead" in done.stderr


def test_a_side_that_is_no_yaml_ends_in_markers_and_loses_nothing(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS, BASE.replace("replicas: 2", "replicas: [2"))
    assert repository.merge().returncode == 1
    assert repository.unmerged() == {NAME}
    for line in ("<<<<<<<", "replicas: 3\n", "replicas: [2\n", ">>>>>>>"):
        assert line in repository.read(NAME)


def test_bytes_that_are_not_utf_8_are_kept(tmp_path: Path) -> None:
    base = b"a: \xe4\n\n\nb: 1\n"
    ours, theirs = base.replace(b"a:", b"c:"), base.replace(b"b: 1", b"b: 2")
    repository = Repository(tmp_path, {NAME: base}, {NAME: ours}, {NAME: theirs})
    assert repository.merge().returncode == 0
    assert (repository.path / NAME).read_bytes() == b"c: \xe4\n\n\nb: 2\n"


def test_binary_content_is_a_conflict_that_keeps_our_version(tmp_path: Path) -> None:
    repository = changed(tmp_path, "a\0b", "a\0ours", "a\0theirs")
    assert repository.merge().returncode == 1
    assert (repository.read(NAME), repository.unmerged()) == ("a\0ours", {NAME})


def test_a_driver_that_cannot_do_it_stops_the_merge_and_touches_nothing(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS)
    driver = "bps merge --policy no-such-policy -- %O %A %B %P"
    assert repository.git("config", "merge.bps.driver", driver).returncode == 0
    done = repository.merge()
    assert done.returncode not in {0, 1}
    assert "no-such-policy cannot be read" in done.stderr
    assert (repository.read(NAME), repository.unmerged()) == (OURS, set())
    assert repository.git("status", "--porcelain").stdout == ""


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


def test_a_renamed_file_is_merged_under_its_new_name(tmp_path: Path) -> None:
    ours = {NAME: None, "moved.yaml": OURS}
    repository = Repository(tmp_path, {NAME: BASE}, ours, {NAME: THEIRS})
    done = repository.merge()
    assert (done.returncode, repository.read("moved.yaml")) == (0, MERGED), done


def test_branches_that_crossed_before_merge_without_losing_a_side(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS.replace("ann", "eve"), THEIRS)
    # Each side merges the other's first commit and decides otherwise: their base has markers.
    for branch, other, owner in (("main", "theirs", "eve"), ("theirs", "main@{1}", "bob")):
        assert repository.git("checkout", "--quiet", branch).returncode == 0
        assert repository.git("merge", "--no-edit", other).returncode == 1
        repository.commit({NAME: MERGED.replace("bob", owner)})
    assert repository.git("checkout", "--quiet", "main").returncode == 0
    assert repository.merge().returncode == 1
    for owner in ("owner: eve\n", "owner: bob\n"):
        assert owner in repository.read(NAME)
    # The base is a merge with a conflict of its own, whose markers git wants longer.
    markers = [
        line.split()[0]
        for line in repository.read(NAME).splitlines()
        if line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>"))
    ]
    outer, inner = ["<" * 7, "|" * 7, "=" * 7, ">" * 7], ["<" * 9, "|" * 9, "=" * 9, ">" * 9]
    assert markers == [*outer[:2], *inner, *outer[2:]]


def test_a_length_of_markers_from_gitattributes_is_kept(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS.replace("ann", "eve"), THEIRS)
    attributes = "*.yaml merge=bps conflict-marker-size=13\n"
    (repository.path / ".gitattributes").write_text(attributes)
    assert repository.merge().returncode == 1
    for sign in ("<", "|", "=", ">"):
        assert f"\n{sign * 13}" in repository.read(NAME)
        assert f"\n{sign * 14}" not in repository.read(NAME)


def test_a_line_of_configuration_without_markers_and_labels_goes_on_working(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS.replace("ann", "eve"), THEIRS)
    repository.git("config", "merge.bps.driver", "bps merge -- %O %A %B %P")
    assert repository.merge().returncode == 1
    assert (
        "<<<<<<< branch A\nowner: eve\n||||||| canonical\nowner: ann\n=======\nowner: bob\n"
        ">>>>>>> branch B\n"
    ) in repository.read(NAME)


@pytest.mark.parametrize("options", ["--no-such-option", "--marker-size %Q"])
def test_a_line_of_configuration_that_is_wrong_is_no_conflict(tmp_path: Path, options: str) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS)
    repository.git("config", "merge.bps.driver", f"bps merge {options} -- %O %A %B %P")
    done = repository.merge()
    assert done.returncode not in {0, 1}
    assert "Usage:" in done.stderr
    assert (repository.read(NAME), repository.unmerged()) == (OURS, set())


def test_rebase_and_cherry_pick_use_it_too(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS)
    assert repository.git("cherry-pick", "theirs").returncode == 0
    assert repository.read(NAME) == MERGED
    assert repository.git("reset", "--quiet", "--hard", "HEAD~1").returncode == 0
    assert repository.git("rebase", "--quiet", "theirs").returncode == 0
    assert repository.read(NAME) == MERGED
