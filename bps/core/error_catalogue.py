"""One table: what each error code means at every edge (design, "Errors").

`bps explain CODE` prints a row; the HTTP service maps codes to problem types and statuses by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bps.core import errors
from bps.core.errors import BpsError

EXIT_INTEGRITY = 3
EXIT_INTERNAL = 70
EXIT_UNAVAILABLE = 75


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means: to HTTP, to the shell, and to the person who has to act."""

    code: str
    meaning: str
    retryable: bool
    http_status: int
    exit_code: int
    next_action: str

    @property
    def problem_type(self) -> str:
        """RFC 9457 problem type, a relative URI reference."""
        return "/problems/" + self.code.lower().replace("_", "-")


_ROWS: dict[type[BpsError], tuple[int, int, str]] = {
    BpsError: (500, 1, "Report it with the command and the output of `bps doctor`."),
    errors.InputError: (400, 2, "Correct the request; nothing was written."),
    errors.InvalidInput: (400, 2, "Correct what the message names; nothing was written."),
    errors.InvalidId: (400, 2, "Use the form shown in the message; nothing was written."),
    errors.InvalidBlueprint: (
        422,
        2,
        "Change the line named in the message as docs/blueprint-profile.md shows.",
    ),
    errors.IdempotencyKeyReused: (422, 2, "Use a new operation id for a new request."),
    errors.OperationInFlight: (409, 75, "Wait a moment, then repeat the request unchanged."),
    errors.UnsafePath: (400, 2, "Name a workspace whose path holds no symbolic link."),
    errors.RequestError: (400, 2, "Correct the request as docs/api.md shows."),
    errors.RouteNotFound: (404, 2, "Look the path up in the reference at /docs."),
    errors.MethodNotAllowed: (405, 2, "Use a method that the header `Allow` names."),
    errors.NotAcceptable: (406, 2, "Ask for a media type that the reference at /docs names."),
    errors.UnsupportedMediaType: (
        415,
        2,
        "Send the content type that the message names, uncompressed.",
    ),
    errors.RequestTooLarge: (413, 2, "Send less; the limit is in the facts."),
    errors.RequestTimedOut: (408, 75, "Send the request again, without pauses."),
    errors.PreconditionRequired: (428, 2, "Read the resource and send its ETag as `If-Match`."),
    errors.IdempotencyKeyRequired: (
        400,
        2,
        "Send a new Idempotency-Key for each act, and the same one when repeating it.",
    ),
    errors.RateLimited: (429, 75, "Wait as long as `Retry-After` says."),
    errors.TooManyConnections: (503, 75, "Wait as long as `Retry-After` says; close streams."),
    errors.TooManyProofs: (503, 75, "Wait as long as `Retry-After` says, then ask again."),
    errors.AccessError: (403, 2, "Ask an operator for a token with the role needed."),
    errors.Unauthenticated: (
        401,
        2,
        "Send a valid token (`Authorization: Bearer`; --token-file, BPS_TOKEN or `bps context`).",
    ),
    errors.Forbidden: (403, 2, "Use a token of a role that may do it (docs/roles.md)."),
    errors.StoreError: (503, 75, "Look at `bps doctor`, then try again."),
    errors.Unavailable: (503, 75, "Check that etcd runs (`bps doctor`), then try again."),
    errors.QuorumLost: (503, 75, "Start enough etcd members for a quorum, then try again."),
    errors.NoSpace: (507, 75, "Run `bps doctor --reclaim-space` to make room; then try again."),
    errors.OutcomeUnknown: (
        503,
        75,
        "Repeat the command with the same --op-id: it returns what became of the first.",
    ),
    errors.Contended: (503, 75, "Try again; other writers kept changing the same plan."),
    errors.AvailabilityError: (503, 75, "Wait; reads go on. `bps doctor` says what is amiss."),
    errors.WorkFailed: (503, 75, "Try again, with more time where you gave it a deadline."),
    errors.ReadOnly: (503, 75, "Wait, or let an operator lift it: `bps mode read-write`."),
    errors.ClockJump: (503, 75, "Set the clock of the host that `bps doctor` names, then wait."),
    errors.Overloaded: (503, 75, "Try again after the seconds in Retry-After, with the same id."),
    errors.TooLarge: (413, 2, "Use a smaller blueprint or fewer branches at once."),
    errors.Compacted: (410, 75, "List again and follow from the newest revision."),
    errors.LeaseNotFound: (503, 75, "Try again; a new lease is granted."),
    errors.StoreRefused: (502, 75, "Look the etcd message up; check its version in `bps doctor`."),
    errors.AccessDenied: (502, 2, "Correct etcd user, password or certificates."),
    errors.CapabilityMissing: (501, 2, "Use `--store etcd`, whose adapter can do all."),
    errors.ResultNotShown: (
        500,
        75,
        "Make room for the output; repeat a command that writes with the same --op-id.",
    ),
    errors.LeadershipError: (503, 75, "Try again at the leader."),
    errors.NotLeader: (503, 75, "Wait until the leader resigns, or use the one named."),
    errors.FencedOut: (503, 75, "Try again; another process leads now."),
    errors.LeaseLost: (503, 75, "Try again; the leadership is being taken anew."),
    errors.Rejected: (409, 1, "Read the state (`bps plan show`), then decide anew."),
    errors.PreconditionFailed: (412, 1, "Read the resource again, then decide with its new ETag."),
    errors.MergeConflict: (
        409,
        1,
        "Let a reviewer decide (`bps review show`), or promote without those in conflict.",
    ),
    errors.MergeTooLong: (
        422,
        1,
        "Promote one branch alone; then rebase each other one on it, repair it, and promote it.",
    ),
    errors.ReviewHeld: (
        409,
        1,
        "Wait until the time in the message, ask who claimed it, or end it (`bps review release`).",
    ),
    errors.ValidationFailed: (422, 1, "Correct what the finding names and submit again."),
    errors.DepthExceeded: (403, 1, "Ask for the supervisors' consensus, or regress less far."),
    errors.Frozen: (423, 1, "File the post-mortem, or ask for a signed override."),
    errors.LimitExceeded: (409, 1, "Close what is no longer needed, or raise the policy's limit."),
    errors.ClockNullified: (409, 1, "Work on the branch's newest RR-plan (`bps branch list`)."),
    errors.ApprovalsMissing: (
        409,
        1,
        "Let more holders sign (`bps keys statement`, `bps keys sign`), then repeat with all.",
    ),
    errors.WrongState: (
        409,
        1,
        "Look at its state (`bps branch list`, `bps token list`, `bps keys list`).",
    ),
    errors.NotFound: (
        404,
        1,
        "List what is there (`bps plan list`, `bps branch list`, `bps token list`).",
    ),
    errors.Exists: (409, 1, "Choose another id, or look at the record that is there."),
    errors.Ambiguous: (409, 1, "Give more digits of the branch id."),
    errors.WorkspaceConflict: (
        409,
        1,
        "Compare the two files named; submit or move the edited one away, then sync again.",
    ),
    errors.IntegrityError: (
        500,
        3,
        "Write nothing more in this plan; run `bps verify` and `replay`.",
    ),
    errors.ChainBroken: (
        500,
        3,
        "Write nothing more in this plan; compare it with an etcd backup.",
    ),
    errors.ReceiptRefuted: (
        409,
        3,
        "If the receipt is genuine, the log was changed: write nothing more in this plan.",
    ),
    errors.DigestMismatch: (
        500,
        3,
        "Write nothing more in this plan; restore the blob from an etcd backup.",
    ),
    errors.ReplayDiverged: (500, 3, "Write nothing more in this plan; the log is the truth."),
    errors.MalformedRecord: (
        500,
        3,
        "Write nothing more in this plan; find out who wrote the key.",
    ),
    errors.BadSignature: (500, 3, "Find out who signed; do not trust the record."),
    errors.SchemaTooNew: (500, 3, "Upgrade this release; docs/schema-changelog.md names it."),
    errors.StoreRolledBack: (500, 3, "Find out who restored which snapshot (docs/playbooks)."),
    errors.ConfigError: (500, 2, "Correct the option, file or environment variable named."),
    errors.PluginError: (500, 2, "Install, repair or disallow the plugin named."),
    errors.InternalError: (
        500,
        EXIT_INTERNAL,
        "Report it with the command and the message.",
    ),
    errors.ClaimFailed: (500, 1, "Report it with the whole output of the demonstration."),
}


_FOR_DEVELOPERS = re.compile(r" \(R\d+(, R\d+)*\)|\s*\bfacts: .*")
"""Requirement rows and the names of facts: in docstrings, but no help to who reads an error."""


def explain(kind: type[BpsError]) -> Explanation:
    """The row of one error class; each class has its own."""
    http_status, exit_code, next_action = _ROWS[kind]
    sentence = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    meaning = _FOR_DEVELOPERS.sub("", sentence)
    return Explanation(kind.code, meaning, kind.retryable, http_status, exit_code, next_action)


def catalogue() -> dict[str, Explanation]:
    """All codes, in the order of the tree."""
    return {kind.code: explain(kind) for kind in _ROWS}


def next_action_of(error: BpsError) -> str:
    """What to do now: the error's own advice, else that of its code."""
    return error.next_action or explain(type(error)).next_action
