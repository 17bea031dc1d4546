"""A repository of git with `bps merge` as its driver, set up by the README's own lines."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.checkout import ROOT

BASE = "kind: deploy  # how it runs\nowner: ann\nreplicas: 2\nsteps: [build, ship]\n"
OURS = BASE.replace("replicas: 2", "replicas: 3")
THEIRS = BASE.replace("ann", "bob").replace("build, ship", "build, test, ship")
MERGED = "kind: deploy  # how it runs\nowner: bob\nreplicas: 3\nsteps: [build, test, ship]\n"
NAME = "deploy.yaml"
Files = Mapping[str, str | bytes | None]


def setup_lines() -> list[list[str]]:
    """The README's commands that set the driver up."""
    text = (ROOT / "README.md").read_text()
    found = [
        line[2:] for line in text.splitlines() if line.startswith(("$ git config ", "$ printf "))
    ]
    assert len(found) == 3
    return [shlex.split(line) for line in found]


def git_is(major: int, minor: int) -> bool:
    """Whether git is of that release or a newer one."""
    told = subprocess.run(("git", "--version"), capture_output=True, text=True, check=True).stdout
    return tuple(map(int, told.split()[2].split(".")[:2])) >= (major, minor)


def drivers_can_stop() -> bool:
    """Whether git stops where a driver exits above 128, as it does since 2.42."""
    return git_is(2, 42)


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
