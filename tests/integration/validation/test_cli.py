"""`bps validators` with a validator of a real separate distribution, built and installed by pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from tests.checkout import VARIABLE, python_path
from tests.docs.pages import DOCS
from tests.integration.validation.plugins import distribution, judge

NAME = "owner-required"


@dataclass(frozen=True, slots=True)
class Site:
    """A directory with the distribution, and where the test's files lie."""

    packages: Path
    files: Path

    def policy(self, *names: str, **configs: Any) -> str:
        uses = [{"name": name, "config": configs.get(name.replace("-", "_"), {})} for name in names]
        path = self.files / "policy.json"
        path.write_bytes(orjson.dumps({"validators": uses}))
        return str(path)

    def blueprint(self, text: str, name: str = "blueprint.yaml") -> str:
        path = self.files / name
        path.write_text(text)
        return str(path)

    def bps(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bps.cli", *arguments],
            env={**os.environ, VARIABLE: python_path(self.packages), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def printed(self, schema: str, code: int, *arguments: str) -> Any:
        """The JSON that a command printed, and nothing else; it must fit the published schema."""
        ran = self.bps(*arguments, "-o", "json")
        assert ran.returncode == code, ran
        data = orjson.loads(ran.stdout)
        published = orjson.loads((DOCS / "schemas" / "cli" / f"{schema}.json").read_bytes())
        Draft202012Validator(published).validate(data)
        return data


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, copied, built and installed into a directory of its own."""
    source = tmp_path_factory.mktemp("source") / "template"
    shutil.copytree(DOCS / "validator-template", source)
    target = tmp_path_factory.mktemp("packages")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", "-q", *options, "--target", str(target)]
    subprocess.run([*command, str(source)], check=True, timeout=100)
    distribution(target, "t-loud", judge("Loud", "print('not json'); return []"), t_loud="Loud")
    distribution(target, "t-bad", judge("Bad", "raise ValueError('bad')"), t_bad="Bad")
    return target


@pytest.fixture
def site(packages: Path, tmp_path: Path) -> Site:
    return Site(packages, tmp_path)


def test_the_template_is_listed_with_its_distribution_and_version(site: Site) -> None:
    policy = site.policy(NAME, "t-absent")
    rows = site.printed("validators-list", 0, "validators", "list", "--policy", policy)
    by_name = {row["name"]: row for row in rows}
    assert by_name[NAME] == {
        "name": NAME,
        "version": "1.0.0",
        "distribution": "bps-owner-required",
        "installed": True,
        "allowed": True,
    }
    assert by_name["cel"]["allowed"] is False
    assert (by_name["t-absent"]["installed"], by_name["t-absent"]["allowed"]) == (False, True)


def test_the_template_vetoes_with_a_line_and_passes_what_is_right(site: Site) -> None:
    policy = site.policy(NAME)
    bad = site.blueprint("# no owner\ntitle: x\n")
    report = site.printed("validators-run", 1, "validators", "run", bad, "--policy", policy)
    (finding,) = report["findings"]
    assert (finding["validator"], finding["code"], finding["line"]) == (NAME, "owner-missing", 2)
    assert report["runs"][0]["distribution"] == "bps-owner-required"
    good = site.blueprint("title: x\nowner: me\n", "good.yaml")
    base = site.blueprint("owner: you\n", "base.yaml")
    arguments = ("validators", "run", good, "--base", base, "--policy", policy)
    report = site.printed("validators-run", 0, *arguments)
    assert (report["blocking"], report["findings"][0]["severity"]) == (False, "warning")


def test_the_table_names_line_and_rule(site: Site) -> None:
    bad = site.blueprint("title: x\ntasks:\n- {id: a, depends_on: [b]}\n")
    ran = site.bps("validators", "run", bad, "--policy", site.policy("references"))
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[1].split()[:5] == [
        "3",
        "error",
        "references",
        "/tasks/0/depends_on/0",
        "unknown-reference",
    ]
    assert "would be blocked" in ran.stderr


def test_doctor_says_on_what_it_runs_them(site: Site) -> None:
    ran = site.bps("validators", "doctor", "--policy", site.policy("t-bad"))
    assert ran.returncode == 2
    assert "on a blueprint that holds `title: self-check` alone" in ran.stderr


def test_only_one_is_asked_where_one_is_named(site: Site) -> None:
    text = site.blueprint("title: x\n")
    policy = site.policy(NAME, "t-bad", "references")
    arguments = ("validators", "run", text, "--policy", policy, "--only")
    report = site.printed("validators-run", 0, *arguments, "references")
    assert [run["name"] for run in report["runs"]] == ["references"]
    refused = site.bps(*arguments, "cel", "-o", "json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert orjson.loads(refused.stderr)["code"] == "INVALID_INPUT"


def test_a_validator_that_prints_does_not_disturb_the_json(site: Site) -> None:
    text = site.blueprint("title: x\n")
    policy = site.policy("t-loud")
    report = site.printed("validators-run", 0, "validators", "run", text, "--policy", policy)
    assert report["findings"] == []


def test_the_doctor_names_what_is_wrong_and_exits_2(site: Site) -> None:
    rules = {"rules": [{"expression": "merged.n >", "message": "m"}]}
    policy = site.policy(
        NAME, "cel", "t-bad", "t-absent", "references", cel=rules, owner_required={"field": ""}
    )
    rows = site.printed("validators-doctor", 2, "validators", "doctor", "--policy", policy)
    assert {row["name"]: row["outcome"] for row in rows} == {
        NAME: "validator-misconfigured",
        "cel": "validator-misconfigured",
        "references": "completed",
        "t-absent": "validator-missing",
        "t-bad": "validator-crashed",
    }
    assert "config/field" in next(row["detail"] for row in rows if row["name"] == NAME)
    assert site.bps("validators", "doctor", "--policy", site.policy(NAME)).returncode == 0


@pytest.mark.parametrize(
    "document",
    ["[]", "{}", '{"validators": 1}', '{"validators": [{"name": "A b"}]}',
     '{"validators": [{"name": "cel"}, {"name": "cel"}]}',
     '{"validators": [{"name": "cel", "config": {"x": 1.5}}]}',
     '{"validators": [{"name": "cel", "config": {"x": "\\ud800"}}]}'],
)  # fmt: skip
def test_a_policy_file_that_names_no_validators_rightly_is_refused(
    site: Site, document: str
) -> None:
    file = site.blueprint(document, "policy.json")
    refused = site.bps("validators", "list", "--policy", file, "-o", "json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert orjson.loads(refused.stderr)["code"] == "INVALID_INPUT"


def test_what_breaks_the_profile_is_refused_before_any_validator(site: Site) -> None:
    text = site.blueprint("a: yes\n")
    ran = site.bps("validators", "run", text, "--policy", site.policy(NAME), "-o", "json")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert orjson.loads(ran.stderr)["code"] == "BLUEPRINT_REFUSED"
