"""What goes into a merge and what comes out: conflicts are values, storable and mergeable again.

The shapes were held against draft-jurkovikj-json-three-way-merge-00 (records by JSON Pointer,
"present" apart from null), nbdime (decisions with local, remote and a custom value) and
structured-merge-diff (owners by path). NamedTuples: `bps merge` starts once for each file of a git
merge, and dataclasses would cost it 5 ms (`bps.merge.named_tuple` is for that too).
"""

from __future__ import annotations

from enum import StrEnum

from bps.merge.named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CANONICAL = "canonical"
"""The label of the version that the contributions are merged into."""


class Kind(StrEnum):
    """Why a person has to decide."""

    BOTH_MODIFIED = "both_modified"
    MODIFY_DELETE = "modify_delete"
    BOTH_ADDED = "both_added"
    TYPE_CHANGE = "type_change"
    LIST_INSERT = "list_insert"
    RENAME_MODIFY = "rename_modify"
    IDENTITY = "identity"
    ANCHOR = "anchor"
    COMMENT = "comment"
    DOCUMENT = "document"
    SEMANTIC = "semantic"


class Contribution(NamedTuple):
    """One editor's version and what it was forked from.

    `label` names it in records, markers and reports; `by` is the person or agent behind it.
    """

    label: str
    base: str
    text: str
    by: str | None = None


class Span(NamedTuple):
    """Where text stands in its version; lines and columns from 1, columns in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


class Variant(NamedTuple):
    """What one version holds at the place of a conflict.

    `value` is the data as JSON (None and `present` for null), `text` the source, whole lines where
    the node has lines of its own.
    """

    present: bool
    value: Any
    text: str
    span: Span | None


ABSENT = Variant(present=False, value=None, text="", span=None)


class Side(NamedTuple):
    """One editor's variant. `branch` is its label, or `canonical`."""

    branch: str
    by: str | None
    variant: Variant
    base: Variant | None = None
    """What it was forked from, where that differs from the conflict's `base`."""


class Conflict(NamedTuple):
    """One place that the engine will not decide.

    `id` covers path, kind and every variant: a resolution made for it stays valid exactly as long
    as all of them stay as they are. `path` is a JSON Pointer (RFC 6901), with `#n` before it for
    document n of a stream of several; an index counts in the base, or where the base lacks the
    element in the first side that has it. `identity` names a list element by its key fields.
    """

    id: str
    path: str
    identity: dict[str, Any] | None
    kind: Kind
    base: Variant
    sides: tuple[Side, ...]
    strategy: str
    suggestion: str | None = None
    """The label whose variant is proposed, or YAML text after `=`."""
    finding: str | None = None


class Resolution(NamedTuple):
    """A person's decision on one conflict: exactly one of the two.

    `take` is `base` or the label of a side; `text` is an edited value as YAML (JSON is YAML).
    """

    take: str | None = None
    text: str | None = None


class Notice(NamedTuple):
    """Something a reader may want to know that stops nothing."""

    path: str
    message: str


class Origin(NamedTuple):
    """Whose version of a changed place is in the result.

    `change` is added, changed, deleted or merged; `sources` are labels, several where all of them
    made the same edit or a strategy combined them.
    """

    path: str
    change: str
    sources: tuple[str, ...]


class Merged(NamedTuple):
    """The outcome. `text` is the result, or None while `conflicts` are open.

    `marked` holds everything that could be merged, with conflict markers around the rest; it
    equals `text` where nothing is open. `decided` are the conflicts that a resolution met.
    """

    text: str | None
    marked: str
    conflicts: tuple[Conflict, ...]
    notices: tuple[Notice, ...]
    origins: tuple[Origin, ...]
    decided: tuple[Conflict, ...] = ()
