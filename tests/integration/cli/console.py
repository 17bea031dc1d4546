"""Running `bps` on the cluster: in this process, or as the process that a user starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Timer
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from bps.api.outputs import OUTPUTS
from tests.cluster import EtcdCluster
from tests.cluster.gateway import call
from tests.unit.cli.invoke import Ran, invoke

_KEYS = {"key": "L2hhaW9zLw==", "range_end": "L2hhaW9zMA=="}  # base64 of /haios/ and /haios0
DEADLINE_S = 60.0
SHOWN: set[str] = set()
"""Commands whose output was held against its schema so far."""


def environment(endpoints: Sequence[str], workspace: Path | None = None) -> dict[str, str]:
    """The variables of a user who acts standalone on a test cluster."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BPS_")}
    named = {}
    if workspace is not None:
        key = workspace.with_name("signing-key.pem")
        named = {"BPS_WORKSPACE": str(workspace), "BPS_SIGNING_KEY_FILE": str(key)}
    return {
        **kept,
        "BPS_ETCD_ENDPOINTS": ",".join(endpoints),
        "BPS_STANDALONE": "1",
        "BPS_ALLOW_OLD_ETCD": "1",
        "BPS_LEASE_TTL_S": "2",
        **named,
    }


@dataclass(frozen=True, slots=True)
class Console:
    """`bps` with a workspace, on one cluster."""

    cluster: EtcdCluster
    workspace: Path

    @property
    def env(self) -> dict[str, str]:
        return environment(self.cluster.endpoints, self.workspace)

    def bps(self, *arguments: str, stdin: bytes | None = None) -> Ran:
        """Run a command in this process."""
        return invoke(*arguments, env=self.env, stdin=stdin)

    def data(self, *arguments: str, expect: int = 0, stdin: bytes | None = None) -> Any:
        """What a command prints with `-o json`; it has the published shape, and YAML is the same.

        A command that writes is repeated with its operation id for the YAML: it says so, and
        writes nothing.
        """
        ran = self.bps(*arguments, "-o", "json", stdin=stdin)
        assert ran.code == expect, (arguments, ran)
        found = json.loads(ran.out)
        validator(arguments).validate(found)
        before = self.contents()
        again = self.bps(*arguments, "-o", "yaml", stdin=stdin)
        assert self.contents() == before, arguments
        assert again.code == expect, (arguments, again)
        as_yaml = YAML(typ="safe", pure=True).load(again.out)
        assert steady(as_yaml) == steady(found), arguments
        if "--op-id" in arguments:
            told, repeated, more = again.err.partition("repeated: the operation was done before\n")
            # What is told of the state is told again, what was told of a secret is not.
            assert (told, bool(repeated)) == ("", True), again
            assert more in {"", ran.err}, again
        return found

    def refused(self, *arguments: str, code: str, exit_code: int) -> dict[str, Any]:
        """The problem of a command that must fail; nothing is written."""
        before = self.contents()
        ran = self.bps(*arguments, "-o", "json")
        assert (ran.code, ran.out) == (exit_code, ""), (arguments, ran)
        problem = ran.problem
        assert (problem["code"], bool(problem["next_action"])) == (code, True)
        assert self.contents() == before
        return problem

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start `bps ARGUMENTS` as a process of its own."""
        return subprocess.Popen(
            (sys.executable, "-m", "bps.cli", *arguments),
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def process(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run `bps ARGUMENTS` as a process of its own."""
        done = subprocess.run(
            (sys.executable, "-m", "bps.cli", *arguments),
            env={**self.env, **(env or {})},
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), done.stdout)

    def revision(self) -> int:
        """The store's revision: every write raises it."""
        answer = call(self.cluster.endpoints[0], "/v3/kv/range", {**_KEYS, "limit": 1})
        return int(answer["header"]["revision"])

    def contents(self) -> dict[str, tuple[str, str]]:
        """Every key but those of the election, with its value and when it was written."""
        answer = call(self.cluster.endpoints[0], "/v3/kv/range", _KEYS)
        return {
            key: (kv["value"], kv["mod_revision"])
            for kv in answer.get("kvs", [])
            if not (key := b64decode(kv["key"]).decode()).startswith("/haios/bps/v1/leader/")
        }


def validator(arguments: Sequence[str]) -> Draft202012Validator:
    """The published schema of a command's output."""
    for length in (2, 1):
        name = "-".join(arguments[:length])
        if name in OUTPUTS:
            SHOWN.add(name)
            return _validator_of(name)
    raise AssertionError(arguments)


@cache
def _validator_of(name: str) -> Draft202012Validator:
    schema = TypeAdapter(OUTPUTS[name]).json_schema(by_alias=False, mode="serialization")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def steady(data: Any) -> Any:
    """Without what changes between two calls: the store's revision, sizes, and times taken."""
    if isinstance(data, list):
        return [steady(each) for each in data]
    if isinstance(data, dict):
        changing = {"revision", "duration_ms", *(["detail"] if "check" in data else ())}
        return {name: steady(each) for name, each in data.items() if name not in changing}
    return data


def lines_until(process: subprocess.Popen[str], count: int) -> list[str]:
    """The next `count` lines of a process; it is killed if they do not come."""
    assert process.stdout is not None
    timer = Timer(DEADLINE_S, process.kill)
    timer.start()
    lines = [process.stdout.readline().rstrip("\n") for _ in range(count)]
    timer.cancel()
    assert all(lines), f"it ended after {lines}"
    return lines
