"""The JSON documents to the byte, against their published schemas, and who edited them."""

from __future__ import annotations

import json

import jsonschema
import orjson
import pytest

from bps.core.codec import canonical_json, sha256_hex
from bps.core.errors import MalformedRecord
from bps.plans.model import Contributor, Plan, RRPlan, State, Version
from bps.workspace.documents import (
    Document,
    describe_canonical,
    describe_rr_plan,
    json_schemas,
    unedited,
)
from bps.workspace.projection import of_canonical, of_rr_plan

BRANCH = "1a2b3c4d" + "0" * 32
RR = "EP-42-RR(br1a2b3c4d)-1"

PLAN = Plan(
    plan="EP-42",
    initiative="checkout-2026",
    title="Checkout",
    digest="a" * 64,
    size_bytes=10,
    registered_ms=0,
    registered_by="supervisor-1",
)
VERSION = Version(
    plan="EP-42",
    version=2,
    how="promotion",
    digest="b" * 64,
    size_bytes=12,
    seq=9_007_199_254_740_993,
    clock={"canonical": 2, BRANCH: 3},
    contributors=[
        Contributor(rr_plan=RR, branch=BRANCH, n=1, digest="b" * 64, state=State.PROMOTED)
    ],
    published_ms=1_795_000_000_123,
    published_by="supervisor-1",
)
SUPERSEDED = RRPlan(
    rr_plan=RR,
    plan="EP-42",
    branch=BRANCH,
    n=1,
    state=State.OBSOLETE_SUPERSEDED,
    opened_by="regression",
    parent_rr=None,
    summary="Zahlung schlägt fehl",
    base_version=1,
    base_digest="a" * 64,
    digest="b" * 64,
    size_bytes=12,
    clock={"canonical": 1, BRANCH: 3},
    vc_parent={"canonical": 1},
    opened_ms=0,
    closed_ms=1_795_000_000_123,
    reason="its base is canonical no more",
)
DOCUMENTS: list[Document] = [describe_canonical(PLAN, VERSION), describe_rr_plan(SUPERSEDED)]

GOLDEN_CANONICAL = """\
{
  "kind": "canonical_blueprint",
  "schema_version": 1,
  "plan": "EP-42",
  "initiative": "checkout-2026",
  "title": "Checkout",
  "version": "2",
  "file": "canonical_blueprint.yaml",
  "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
  "size_bytes": 12,
  "how": "promotion",
  "contributors": [
    {
      "rr_plan": "EP-42-RR(br1a2b3c4d)-1",
      "branch_id": "1a2b3c4d00000000000000000000000000000000",
      "n": "1",
      "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "status": "PROMOTED"
    }
  ],
  "reverted_to": null,
  "reason": "",
  "seq": "9007199254740993",
  "clock": {
    "1a2b3c4d00000000000000000000000000000000": "3",
    "canonical": "2"
  },
  "published_at": "2026-11-18T11:06:40.123Z",
  "published_by": "supervisor-1",
  "content_digest": "DIGEST"
}
"""

GOLDEN_RR_PLAN = """\
{
  "kind": "rr_plan_header",
  "schema_version": 1,
  "rr_plan": "EP-42-RR(br1a2b3c4d)-1",
  "plan_type": "REMEDIATION",
  "subtype": "REGRESSION_REMEDIATION",
  "plan": "EP-42",
  "branch_id": "1a2b3c4d00000000000000000000000000000000",
  "n": "1",
  "parent_rr": null,
  "status": "OBSOLETE_SUPERSEDED",
  "reason": "its base is canonical no more",
  "opened_by": "regression",
  "summary": "Zahlung schlägt fehl",
  "base_version": "1",
  "base_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "file": "blueprint_v1.yaml",
  "submitted_digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
  "submitted_size_bytes": 12,
  "clock": {
    "1a2b3c4d00000000000000000000000000000000": "3",
    "canonical": "1"
  },
  "vc_parent": {
    "canonical": "1"
  },
  "opened_at": "1970-01-01T00:00:00.000Z",
  "closed_at": "2026-11-18T11:06:40.123Z",
  "content_digest": "DIGEST"
}
"""


@pytest.mark.parametrize(
    ("document", "golden"), [(DOCUMENTS[0], GOLDEN_CANONICAL), (DOCUMENTS[1], GOLDEN_RR_PLAN)]
)
def test_the_bytes_are_these(document: Document, golden: str) -> None:
    fields = json.loads(golden)
    fields.pop("content_digest")
    digest = "sha256:" + sha256_hex(canonical_json(fields))
    assert document.render().decode() == golden.replace("DIGEST", digest)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_published_schema_accepts_the_document_and_nothing_else(document: Document) -> None:
    schema = json_schemas()[json.loads(document.render())["kind"]]
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    fields = json.loads(document.render())
    validator.validate(fields)
    for name in fields:
        assert not validator.is_valid({key: fields[key] for key in fields if key != name}), name
    counters = [name for name in ("n", "version", "seq") if name in fields]
    for wrong in ({"more": 1}, {counters[0]: 1}, {"content_digest": "abc"}, {"kind": "x"}):
        assert not validator.is_valid({**fields, **wrong}), wrong


def test_the_order_of_a_clock_changes_no_byte() -> None:
    other = VERSION.model_copy(update={"clock": {BRANCH: 3, "canonical": 2}})
    assert describe_canonical(PLAN, other).render() == DOCUMENTS[0].render()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_recognised_until_it_is_edited(document: Document) -> None:
    data = document.render()
    assert unedited(data)
    for edited in (
        data + b"\n",
        data.replace(b"  ", b"    ", 1),
        data.replace(b"EP-42", b"EP-43", 1),
        data.replace(b"EP-42", b"EP-42\\u0020", 1),
        data.replace(b'"schema_version": 1,', b'"schema_version": 1,\n  "schema_version": 1,'),
        data[:-3],
        b"",
        b"[]",
        b"{}\n",
        b"null",
        b"\xff",
        b'{"a": 1e400}',
        b'{"a": 123456789012345678901234567890}',
        b"[" * 100_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    ):
        assert not unedited(edited), edited[:80]


def test_a_document_of_another_release_is_recognised() -> None:
    fields = {"kind": "canonical_blueprint", "schema_version": 7, "news": [1, None, "x"]}
    stated = "sha256:" + sha256_hex(canonical_json(fields))
    indented = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    assert unedited(orjson.dumps({**fields, "content_digest": stated}, option=indented))


def test_a_blueprint_comes_before_the_document_that_names_it() -> None:
    assert [each.name for each in of_canonical(PLAN, VERSION)] == [
        "canonical_blueprint.yaml",
        "canonical_blueprint.json",
    ]
    assert [each.name for each in of_rr_plan(SUPERSEDED)] == ["blueprint_v1.yaml", "rr_plan.json"]


def test_a_fork_is_its_base_until_something_is_submitted() -> None:
    unsubmitted = SUPERSEDED.model_copy(update={"digest": None, "size_bytes": None})
    assert of_rr_plan(SUPERSEDED)[0].digest == "b" * 64
    assert of_rr_plan(unsubmitted)[0].digest == "a" * 64


def test_a_time_beyond_the_calendar_is_a_named_error() -> None:
    with pytest.raises(MalformedRecord):
        describe_canonical(PLAN, VERSION.model_copy(update={"published_ms": 10**18}))
