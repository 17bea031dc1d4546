"""What callers send: strict, no unknown fields; numbers that count are decimal strings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)

from bps.checkpoints.accepted import LostCheckpoint
from bps.checkpoints.mirror_lines import MAX_RECENT
from bps.core import ids
from bps.core.codec import MAX_DECIMAL
from bps.core.errors import InvalidId, InvalidInput
from bps.core.text import MAX_LINE, MAX_TEXT, is_printable
from bps.merge.declared import from_policy
from bps.plans.branches import OpenBranch
from bps.policy.model import (
    MAX_BLUEPRINT_BYTES,
    MAX_CONTRIBUTORS,
    MAX_LIVE_DESCENDANTS,
    MAX_MERGE_PATTERNS,
)
from bps.policy.validator_use import ValidatorUses

MAX_BRANCHES = 255
ONE_LINE_FORM = r"^([^\x00-\x20\x7f-\xa0]([^\x00-\x1f\x7f-\xa0]*[^\x00-\x20\x7f-\xa0])?)?$"
"""`one_line` as far as a pattern for all readers can say it: its ASCII, and no control."""
LINE_FORM = r"^[^\x00-\x1f\x7f-\xa0]*$"
_LINES_FORM = r"^[^\x00-\x09\x0b-\x1f\x7f-\xa0]*$"
_MAX_ACTORS = 256
_MAX_NUMBER = 2**63 - 1


def _printable(text: str) -> str:
    if not is_printable(text):
        msg = "it may hold printable characters and line feeds only"
        raise ValueError(msg)
    return text


def one_line(text: str) -> str:
    """Printable text without spaces at its ends. Raises ValueError."""
    if not text.isprintable() or text != text.strip():
        msg = "it has to be printable characters on one line, without spaces at the ends"
        raise ValueError(msg)
    return text


def _decimal(value: object) -> int:
    """JSON numbers are doubles for many programs; so numbers travel as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        plain = value == "0" or not value.startswith("0")
        if plain and len(value) <= len(str(MAX_DECIMAL)) and int(value) <= _MAX_NUMBER:
            return int(value)
    msg = "it has to be a whole number as a decimal string, such as '7'"
    raise ValueError(msg)


def _actor(name: str) -> str:
    try:
        return name if name == ids.CANONICAL_ACTOR else ids.branch_id(name)
    except InvalidId as error:
        raise ValueError(error.message) from None


def published(form: str) -> Any:  # noqa: ANN401 - pydantic's metadata
    """What the schema says of a text that is checked elsewhere: its pattern."""
    return Field(json_schema_extra={"pattern": form})


Text = Annotated[
    str,
    StringConstraints(max_length=MAX_TEXT),
    AfterValidator(_printable),
    published(_LINES_FORM),
]
"""For people; kept in the log."""

SAYING_FORM = rf"{_LINES_FORM[:-1]}[^\x00-\x20\x7f-\xa0]{_LINES_FORM[1:]}"
NeededText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_TEXT),
    AfterValidator(_printable),
    published(SAYING_FORM),
]
"""As `Text`, but it says something; `bps.core.text.needed_text` refuses blanks alone."""

Label = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_LINE),
    AfterValidator(one_line),
    published(ONE_LINE_FORM),
]

PrincipalText = Annotated[str, published(f"^{ids.PRINCIPAL_FORM}$")]
BranchText = Annotated[str, published(f"^{ids.BRANCH_FORM}$")]
Number = Annotated[
    int,
    BeforeValidator(_decimal),
    WithJsonSchema({"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$", "examples": ["1"]}),
]
"""From 0 to 2^63 - 1."""

Clock = Annotated[
    dict[Annotated[str, AfterValidator(_actor)], Number],
    Field(max_length=_MAX_ACTORS),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": _MAX_ACTORS,
            "propertyNames": {"pattern": f"^({ids.CANONICAL_ACTOR}|{ids.BRANCH_ID_FORM})$"},
            "additionalProperties": {"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$"},
        }
    ),
]

Positive = Annotated[
    Number,
    Field(ge=1),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,18}$", "examples": ["1"]}),
]


class RequestModel(BaseModel):
    """Base of all request bodies."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class OpenBranchRequest(RequestModel):
    """A root cause: its fingerprint, or the three things that it is derived from."""

    trace_id: Label = Field(description="The trace that reports it.", examples=["trace-1"])
    fingerprint: Label | None = Field(
        default=None,
        description="The root cause, if already known.",
        examples=["gateway timeout is too long"],
    )
    component: Label | None = Field(default=None, description="To derive the fingerprint.")
    failure_class: Label | None = Field(default=None, description="To derive the fingerprint.")
    location: Label | None = Field(default=None, description="To derive the fingerprint.")
    summary: Text = Field(default="", description="What went wrong.", examples=["Orders fail"])
    parent: BranchText | None = Field(
        default=None,
        description="RR-plan that this regressed in.",
        json_schema_extra={"example": None},
    )
    clock: Clock | None = Field(
        default=None,
        description="The reporter's vector clock: counters by branch id or `canonical`.",
        json_schema_extra={"example": None},
    )

    def command(self, principal: str, op_id: str, plan: str) -> OpenBranch:
        """The command that it asks for.

        Raises:
            InvalidInput: neither a fingerprint nor all that gives one.
            InvalidId: `parent` is no RR-plan.
        """
        return OpenBranch(
            principal,
            op_id,
            plan,
            self.trace_id,
            self._fingerprint(),
            self.summary,
            None if self.parent is None else ids.BranchRef.parse(plan, self.parent),
            None if self.clock is None else dict(self.clock),
        )

    def _fingerprint(self) -> str:
        parts = (self.component, self.failure_class, self.location)
        if self.fingerprint is not None:
            if parts != (None, None, None):
                msg = "Send fingerprint, or component, failure_class and location; not both."
                raise InvalidInput(msg, field="fingerprint")
            return self.fingerprint
        if None in parts:
            msg = "Send fingerprint, or all of component, failure_class and location."
            raise InvalidInput(msg, field="fingerprint")
        return ids.fingerprint_of(*(part or "" for part in parts))


class FailRequest(RequestModel):
    """Why an RR-plan is given up."""

    reason: NeededText = Field(description="Kept in the log.", examples=["cannot be repaired"])


class RebaseRequest(RequestModel):
    """Nothing; an empty body says the same."""


class PromoteRequest(RequestModel):
    """Which RR-plans to publish; none named: all that succeeded."""

    branches: list[BranchText] = Field(
        default=[],
        max_length=MAX_BRANCHES,
        description="Branches or RR-plans.",
        examples=[["br66400e4b"]],
    )
    reason: Text = Field(default="", description="Kept in the log.", examples=["shorter timeout"])
    dry_run: bool = Field(default=False, description="Decide, but write nothing.", examples=[False])

    def refs(self, plan: str) -> tuple[ids.BranchRef, ...]:
        """The RR-plans named, each once. Raises InvalidId."""
        return tuple(dict.fromkeys(ids.BranchRef.parse(plan, name) for name in self.branches))


class RevertRequest(RequestModel):
    """Which version's content to publish again."""

    to: Positive = Field(description="The version's number.", examples=["1"])
    reason: Text = Field(default="", description="Kept in the log.", examples=["roll back"])


class MirroredCheckpoint(RequestModel):
    """A checkpoint as a mirror holds it."""

    seq: Positive = Field(description="Its number.", examples=["1"])
    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of its stored bytes.", examples=["0" * 64]
    )


class RollbackRequest(RequestModel):
    """That an older state of the store was restored, and is to count."""

    reason: Label = Field(
        description="Kept in the record.", examples=["disk lost; backup of Monday restored"]
    )
    mirrored: list[MirroredCheckpoint] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_RECENT,
        description="The newest checkpoints of a mirror, oldest first; absent: of this sidecar's.",
        examples=[[{"seq": "9", "hash": "0" * 64}]],
    )

    def lost(self) -> tuple[LostCheckpoint, ...] | None:
        """What the mirror holds, or None where this sidecar's is meant."""
        if self.mirrored is None:
            return None
        return tuple(LostCheckpoint(seq=each.seq, hash=each.hash) for each in self.mirrored)


class PolicyRequest(RequestModel):
    """A whole policy. Its number follows from the one before; `n` may say it, to be sure."""

    n: Positive | None = Field(default=None, json_schema_extra={"example": None})
    max_blueprint_bytes: int = Field(ge=1, le=MAX_BLUEPRINT_BYTES, examples=[MAX_BLUEPRINT_BYTES])
    max_contributors: int = Field(ge=1, le=MAX_CONTRIBUTORS, examples=[MAX_CONTRIBUTORS])
    max_live_descendants: int = Field(
        ge=0, le=MAX_LIVE_DESCENDANTS, examples=[MAX_LIVE_DESCENDANTS]
    )
    max_branches: int = Field(ge=1, le=255, examples=[200])
    max_linked_traces: int = Field(ge=1, le=1_000, examples=[64])
    merge: dict[Label, Label] = Field(
        default={},
        max_length=MAX_MERGE_PATTERNS,
        description="Merge strategies by path pattern; none: those that follow from the data.",
        examples=[{"/tasks": "keyed: [id]", "/version": "max: semver"}],
    )
    validators: ValidatorUses = Field(
        description="Validators that judge each promotion, with their configurations.",
        examples=[[{"name": "references", "config": {}}]],
    )

    @field_validator("merge")
    @classmethod
    def _known_strategies(cls, declared: dict[str, str]) -> dict[str, str]:
        try:
            from_policy(declared)
        except InvalidInput as error:
            raise ValueError(error.message) from None
        return declared

    @property
    def rules(self) -> dict[str, Any]:
        """All but the number."""
        return self.model_dump(exclude={"n"})
