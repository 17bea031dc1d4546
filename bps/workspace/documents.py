"""The JSON documents of a workspace: models, published JSON Schemas, and their exact bytes (R15).

Each carries `content_digest`, the SHA-256 of the RFC 8785 bytes of its other fields. So a document
of an earlier state, or of another release, is recognised as unedited from its own bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, computed_field

from bps.core.codec import Decimal, canonical_json, sha256_hex
from bps.core.errors import MalformedRecord
from bps.plans.model import ClockMap, RRPlan, State, Version
from bps.workspace.source import PlanFacts

CANONICAL_JSON = "canonical_blueprint.json"
CANONICAL_YAML = "canonical_blueprint.yaml"
RR_PLAN_JSON = "rr_plan.json"

Sha256 = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339, UTC, milliseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Document(BaseModel):
    """Base of the JSON documents. Fields appear in the file in the order of declaration."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def content_digest(self) -> Sha256:
        """SHA-256 of the RFC 8785 bytes of all other fields."""
        return _content_digest(self.model_dump(mode="json", exclude={"content_digest"}))

    def render(self) -> bytes:
        """The bytes of the file: UTF-8 JSON, indented by 2, with a newline at the end."""
        return _indented(self.model_dump(mode="json"))


class ContributorEntry(BaseModel):
    """One RR-plan that a promotion took up, and what became of it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    rr_plan: str
    branch_id: str
    n: Decimal
    digest: Sha256
    status: State


class CanonicalBlueprint(Document):
    """`canonical_blueprint.json`: which blueprint is canonical, and how it became so."""

    kind: Literal["canonical_blueprint"] = "canonical_blueprint"
    schema_version: Literal[1] = 1
    plan: str
    initiative: str
    title: str
    version: Decimal
    file: str
    digest: Sha256
    size_bytes: int
    how: Literal["registration", "promotion", "revert"]
    contributors: list[ContributorEntry]
    reverted_to: Decimal | None
    reason: str
    seq: Decimal
    clock: ClockMap
    published_at: Instant
    published_by: str


class RRPlanHeader(Document):
    """`rr_plan.json`: an RR-plan's header. `status` OBSOLETE_* is the seal of R6."""

    kind: Literal["rr_plan_header"] = "rr_plan_header"
    schema_version: Literal[1] = 1
    rr_plan: str
    plan_type: Literal["REMEDIATION"]
    subtype: Literal["REGRESSION_REMEDIATION"]
    plan: str
    branch_id: str
    n: Decimal
    parent_rr: str | None
    status: State
    reason: str
    opened_by: Literal["regression", "rebase"]
    summary: str
    base_version: Decimal
    base_digest: Sha256
    file: str
    submitted_digest: Sha256 | None
    submitted_size_bytes: int | None
    clock: ClockMap
    vc_parent: ClockMap
    opened_at: Instant
    closed_at: Instant | None


DOCUMENTS: tuple[type[Document], ...] = (CanonicalBlueprint, RRPlanHeader)
"""Every JSON document of a workspace."""


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (draft 2020-12) of each document, by its `kind`."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        document.model_fields["kind"].default: {
            **dialect,
            **document.model_json_schema(mode="serialization"),
        }
        for document in DOCUMENTS
    }


def fork_name(n: int) -> str:
    """The fork of RR-plan `n` of a branch: `blueprint_v<rev>.yaml` (R5)."""
    return f"blueprint_v{n}.yaml"


def describe_canonical(plan: PlanFacts, version: Version) -> CanonicalBlueprint:
    """The document for the canonical `version` of `plan`."""
    return CanonicalBlueprint(
        plan=plan.plan,
        initiative=plan.initiative,
        title=plan.title,
        version=version.version,
        file=CANONICAL_YAML,
        digest=_named(version.digest),
        size_bytes=version.size_bytes,
        how=version.how,
        contributors=[
            ContributorEntry(
                rr_plan=each.rr_plan,
                branch_id=each.branch,
                n=each.n,
                digest=_named(each.digest),
                status=each.state,
            )
            for each in version.contributors
        ],
        reverted_to=version.reverted_to,
        reason=version.reason,
        seq=version.seq,
        clock=_sorted(version.clock),
        published_at=_instant(version.published_ms),
        published_by=version.published_by,
    )


def describe_rr_plan(rr_plan: RRPlan) -> RRPlanHeader:
    """The header of one RR-plan."""
    return RRPlanHeader(
        rr_plan=rr_plan.rr_plan,
        plan_type=rr_plan.plan_type,
        subtype=rr_plan.subtype,
        plan=rr_plan.plan,
        branch_id=rr_plan.branch,
        n=rr_plan.n,
        parent_rr=rr_plan.parent_rr,
        status=rr_plan.state,
        reason=rr_plan.reason,
        opened_by=rr_plan.opened_by,
        summary=rr_plan.summary,
        base_version=rr_plan.base_version,
        base_digest=_named(rr_plan.base_digest),
        file=fork_name(rr_plan.n),
        submitted_digest=None if rr_plan.digest is None else _named(rr_plan.digest),
        submitted_size_bytes=rr_plan.size_bytes,
        clock=_sorted(rr_plan.clock),
        vc_parent=_sorted(rr_plan.vc_parent),
        opened_at=_instant(rr_plan.opened_ms),
        closed_at=None if rr_plan.closed_ms is None else _instant(rr_plan.closed_ms),
    )


def unedited(data: bytes) -> bool:
    """Whether `data` is a document as some state or release rendered it, to the byte."""
    try:
        fields = orjson.loads(data)
        if not isinstance(fields, dict):
            return False
        stated = fields.pop("content_digest", None)
        return (
            stated == _content_digest(fields)
            and _indented({**fields, "content_digest": stated}) == data
        )
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return False


def _content_digest(fields: dict[str, Any]) -> str:
    return _named(sha256_hex(canonical_json(fields)))


def _indented(fields: dict[str, Any]) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _named(digest: str) -> str:
    return f"sha256:{digest}"


def _sorted(clock: dict[str, int]) -> dict[str, int]:
    return dict(sorted(clock.items()))


def _instant(time_ms: int) -> str:
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError as error:
        raise MalformedRecord(f"{time_ms} ms is no time that a calendar has.") from error
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
