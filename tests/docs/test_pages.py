"""The pages: links resolve, everything there is is documented, and nothing of a machine is told."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bps.cli.app import app
from bps.core.error_catalogue import catalogue
from bps.core.keys import KEY_MAP
from bps.policy.model import DEFAULT_POLICY
from tests.checkout import ROOT
from tests.docs.pages import DOCS, links, pages

_VARIABLE = re.compile(r"\bBPS_[A-Z_]+[A-Z]")
_URL = re.compile(r"https?://([^/\s`)\"']+)")
_CITED_HOSTS = {"keepachangelog.com", "semver.org", "example.org", "127.0.0.1", "localhost"}
_HOME = re.compile(r"(?<![\w.$}{/-])/(?:home|root|Users|work|builds)/\w")
_CLI = (DOCS / "cli.md").read_text()


def commands(group: Any = None, names: tuple[str, ...] = ("bps",)) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name."""
    group = group or typer.main.get_command(app)
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from commands(found, (*names, name))
        else:
            yield " ".join((*names, name)), found


def test_the_generated_documents_are_up_to_date() -> None:
    checked = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, f"run docs/generate.py; {checked.stderr}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for target in links(page):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for target in links(page):
            found = (page.parent / target.partition("#")[0]).resolve()
            inside = found.glob("*.md") if found.is_dir() else [found]
            waiting += [p for p in inside if p in pages() and p not in reached]
    assert {page for page in pages() if page.is_relative_to(DOCS)} <= reached


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_is_documented(name: str) -> None:
    headings = [line for line in _CLI.splitlines() if line.startswith("## ")]
    assert any(name in re.split(r",\s*|## ", heading) for heading in headings)


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_option_is_documented(name: str, command: Any) -> None:
    options = [each for each in command.params if each.param_type_name == "option"]
    for option in options:
        assert any(form in _CLI for form in option.opts), (name, option)


@pytest.mark.parametrize("code", list(catalogue()))
def test_every_error_code_is_documented(code: str) -> None:
    assert f"| `{code}` |" in (DOCS / "errors.md").read_text()


@pytest.mark.parametrize("row", KEY_MAP, ids=lambda row: row.pattern)
def test_every_key_is_documented(row: Any) -> None:
    assert f"| `{row.pattern}` |" in (DOCS / "key-map.md").read_text()


@pytest.mark.parametrize("field", list(type(DEFAULT_POLICY).model_fields))
def test_every_field_of_the_policy_is_documented_with_its_default(field: str) -> None:
    value = getattr(DEFAULT_POLICY, field)
    shown = ", ".join(use.name for use in value) if field == "validators" else value
    assert f"| `{field}` | {shown} |" in (DOCS / "policy.md").read_text()


def test_every_environment_variable_is_documented() -> None:
    everywhere = "\n".join(page.read_text() for page in pages())
    for path in files():
        if path.suffix == ".md" or path.is_relative_to(ROOT / "tests" / "docs"):
            continue
        known = _CLI if path.is_relative_to(ROOT / "bps") else everywhere
        for name in set(_VARIABLE.findall(path.read_text())) - set(catalogue()):
            assert name in known, f"{path.relative_to(ROOT)} uses {name}"


def test_every_decision_has_a_status() -> None:
    decisions = sorted((DOCS / "adr").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text()
        assert re.match(rf"# {int(path.name[:4])}\. \S", text), path.name
        assert re.search(r"^Status: (accepted|superseded by \d{4})$", text, re.MULTILINE), path.name


def test_every_direct_dependency_is_documented() -> None:
    told = [line for line in (DOCS / "dependencies.md").read_text().splitlines() if "|" in line]
    declared = re.findall(r'^  "([a-z0-9.-]+)[>=]', (ROOT / "pyproject.toml").read_text(), re.M)
    lock = (ROOT / "requirements.lock").read_text()
    assert len(declared) > 20
    for name in declared:
        # The lock has hyphens where a declared name may have dots.
        locked = re.search(rf"^{name.replace('.', '[-.]')}==(\S+)", lock, re.MULTILINE)
        rows = [line for line in told if name in line.split("|")[1].strip(" ").split(", ")]
        assert locked is not None, name
        assert len(rows) == 1, name
        assert locked[1] in rows[0], f"{name} {locked[1]}"


def files() -> list[Path]:
    """Every text file of the project that is or will be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = [ROOT / name for name in listed]
    return [path for path in found if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def test_no_file_tells_of_this_machine_or_its_package_index() -> None:
    for path in files():
        if path == Path(__file__).resolve():
            continue
        text = path.read_text(errors="replace")
        where = path.relative_to(ROOT)
        assert not _HOME.search(text), f"{where}: {_HOME.search(text)}"
        assert not re.search(r"^\s*--?(extra-)?(index-url|find-links)\b", text, re.MULTILINE), where


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_cite_no_unknown_hosts(page: Path) -> None:
    cited = {host.partition(":")[0] for host in _URL.findall(page.read_text())}
    assert cited <= _CITED_HOSTS
