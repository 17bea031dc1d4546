"""The only place where a key is built. `docs/key-map.md` is generated from `KEY_MAP`.

Numbers in keys are decimal, zero-padded to 19 digits, so that byte order is number order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

ROOT = b"/haios/bps/v1/"
_WIDTH = 19
_SIDECAR_ID_LENGTH = 32


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One row of the key map: the pattern below the root, what it holds, who compares it."""

    pattern: str
    holds: str
    compared_by: str


KEY_MAP = (
    KeyRow("schema", "layout number of the store, when it was initialised", "its creation"),
    KeyRow("leader/holder", "who leads, on the leader's lease", "every write (the fence)"),
    KeyRow("leader/ops-lease", "the lease that this hour's op records hang on", "its rotation"),
    KeyRow("sidecars/{id}", "a living sidecar: name, URL, key; on its own lease", "itself"),
    KeyRow("clocks/{id}", "a living sidecar's clock, where two live; on its lease", "nobody"),
    KeyRow("mode", "what the operator wants: read-only or not; a brake", "its own changes"),
    KeyRow("policy/{n}", "version n of the policy, immutable", "nobody"),
    KeyRow("policy/current", "a copy of the policy in force", "every write but init"),
    KeyRow("initiatives/{i}", "an initiative: title, time zone, immutable", "plan registrations"),
    KeyRow("initiatives/{i}/governance", "freeze state; absent: never frozen", "promotions"),
    KeyRow(
        "tokens/{id}", "a credential: principal, roles, digest of the secret", "its own changes"
    ),
    KeyRow("token-registry", "how many credentials there are, the operators'", "their changes"),
    KeyRow("keys/{id}", "an Ed25519 signer: public key, holder, purposes", "via key-registry"),
    KeyRow("key-registry", "how often the keys changed, the store's own id", "changes of keys"),
    KeyRow("checkpoints/{seq}", "one signed checkpoint, chained, immutable", "its creation"),
    KeyRow("checkpoint-tip", "the last checkpoint: seq, hash, revision", "the next checkpoint"),
    KeyRow("checkpointed/{p}", "the checkpoint that names the plan's last head", "nobody"),
    KeyRow("rollbacks/{n}", "an accepted rollback: what was lost, who and why", "its creation"),
    KeyRow("ops/{principal}/{id}", "request digest and result, or ABORTED; 25 h", "its own op"),
    KeyRow("plans/{p}", "the sealed plan, immutable", "its registration"),
    KeyRow("plan-data/{p}/head", "seq and hash of the last event, time", "every write in the plan"),
    KeyRow("plan-data/{p}/canonical", "the canonical pointer: version, digest, clock", "via head"),
    KeyRow("plan-data/{p}/versions/{n}", "one canonical version, immutable", "via head"),
    KeyRow("plan-data/{p}/events/{seq}", "event envelope, hash-chained, immutable", "via head"),
    KeyRow("plan-data/{p}/bodies/{seq}", "event body, named by the envelope's digest", "via head"),
    KeyRow(
        "plan-data/{p}/branches/{branch}",
        "a root cause: fingerprint, latest n, counter",
        "via head",
    ),
    KeyRow("plan-data/{p}/rr/{branch}/{n}", "one RR-plan: state, base, digest, clock", "via head"),
    KeyRow("plan-data/{p}/review", "the newest review: what waits for a person", "via head"),
    KeyRow("plan-data/{p}/reviews/{n}", "review n; the same bytes as the newest's", "via head"),
    KeyRow(
        "plan-data/{p}/blobs/{sha256}",
        "zstd of a blueprint, or of what came from where, named by its digest",
        "promotions",
    ),
)

SCHEMA = ROOT + b"schema"
LEADER_HOLDER = ROOT + b"leader/holder"
OPS_LEASE = ROOT + b"leader/ops-lease"
SIDECARS = ROOT + b"sidecars/"
OPERATOR_MODE = ROOT + b"mode"
CLOCKS = ROOT + b"clocks/"
POLICY_CURRENT = ROOT + b"policy/current"
INITIATIVES = ROOT + b"initiatives/"
TOKENS = ROOT + b"tokens/"
TOKEN_REGISTRY = ROOT + b"token-registry"
KEYS = ROOT + b"keys/"
KEY_REGISTRY = ROOT + b"key-registry"
CHECKPOINTS = ROOT + b"checkpoints/"
CHECKPOINT_TIP = ROOT + b"checkpoint-tip"
ROLLBACKS = ROOT + b"rollbacks/"
CHECKPOINTED = ROOT + b"checkpointed/"
PLANS = ROOT + b"plans/"
PLAN_DATA = ROOT + b"plan-data/"


def number(value: int) -> bytes:
    """Fixed width, so that the order of keys is the order of numbers."""
    return b"%0*d" % (_WIDTH, value)


def sidecar(name: str) -> bytes:
    """`sidecars/{id}`: the id is 32 digits of the name's SHA-256, as a name may hold anything."""
    return SIDECARS + _sidecar_id(name)


def clock(name: str) -> bytes:
    """`clocks/{id}`: the id is that of `sidecars/{id}`."""
    return CLOCKS + _sidecar_id(name)


def _sidecar_id(name: str) -> bytes:
    digest = sha256(name.encode(errors="surrogatepass")).hexdigest()
    return digest[:_SIDECAR_ID_LENGTH].encode()


def policy(n: int) -> bytes:
    """`policy/{n}`."""
    return ROOT + b"policy/" + number(n)


def initiative(initiative_id: str) -> bytes:
    """`initiatives/{i}`."""
    return INITIATIVES + initiative_id.encode()


def governance(initiative: str) -> bytes:
    """`initiatives/{i}/governance`."""
    return ROOT + f"initiatives/{initiative}/governance".encode()


def token(credential_id: str) -> bytes:
    """`tokens/{id}`."""
    return TOKENS + credential_id.encode()


def key(key_id: str) -> bytes:
    """`keys/{id}`."""
    return KEYS + key_id.encode()


def checkpoint(seq: int) -> bytes:
    """`checkpoints/{seq}`."""
    return CHECKPOINTS + number(seq)


def rollback(n: int) -> bytes:
    """`rollbacks/{n}`."""
    return ROLLBACKS + number(n)


def checkpointed(plan: str) -> bytes:
    """`checkpointed/{p}`."""
    return CHECKPOINTED + plan.encode()


def op(principal: str, op_id: str) -> bytes:
    """`ops/{principal}/{id}`."""
    return ROOT + f"ops/{principal}/{op_id}".encode()


@dataclass(frozen=True)
class PlanKeys:
    """The keys of one plan. `plan` must be a checked plan id. Each fixed key is built once."""

    plan: str

    @cached_property
    def record(self) -> bytes:
        """The plan itself. Not below `root`, so that listing plans reads no plan's inside."""
        return PLANS + self.plan.encode()

    @cached_property
    def root(self) -> bytes:
        """The prefix of all that is inside the plan."""
        return PLAN_DATA + self.plan.encode() + b"/"

    @cached_property
    def head(self) -> bytes:
        """The last event and the version of the whole plan."""
        return self.root + b"head"

    @cached_property
    def canonical(self) -> bytes:
        """The canonical pointer."""
        return self.root + b"canonical"

    @cached_property
    def versions(self) -> bytes:
        """Prefix of all canonical versions."""
        return self.root + b"versions/"

    def version(self, n: int) -> bytes:
        """Canonical version `n`."""
        return self.versions + number(n)

    @cached_property
    def events(self) -> bytes:
        """Prefix of all envelopes."""
        return self.root + b"events/"

    def event(self, seq: int) -> bytes:
        """The envelope of event `seq`."""
        return self.events + number(seq)

    @cached_property
    def bodies(self) -> bytes:
        """Prefix of all event bodies."""
        return self.root + b"bodies/"

    def body(self, seq: int) -> bytes:
        """The body of event `seq`."""
        return self.bodies + number(seq)

    @cached_property
    def branches(self) -> bytes:
        """Prefix of all branch records, and of nothing else."""
        return self.root + b"branches/"

    def branch(self, branch_id: str) -> bytes:
        """A branch; also the prefix of those whose id starts with `branch_id`."""
        return self.branches + branch_id.encode()

    @cached_property
    def rr_plans(self) -> bytes:
        """Prefix of all RR-plans."""
        return self.root + b"rr/"

    def rr_plans_of(self, branch_id: str) -> bytes:
        """Prefix of the RR-plans of branches whose id starts with `branch_id`."""
        return self.rr_plans + branch_id.encode()

    def rr_plan(self, branch_id: str, n: int) -> bytes:
        """RR-plan `n` of a branch."""
        return self.rr_plans + branch_id.encode() + b"/" + number(n)

    @cached_property
    def newest_review(self) -> bytes:
        """The newest review, open or closed."""
        return self.root + b"review"

    @cached_property
    def reviews(self) -> bytes:
        """Prefix of all reviews."""
        return self.root + b"reviews/"

    def review(self, n: int) -> bytes:
        """Review `n`."""
        return self.reviews + number(n)

    @cached_property
    def blobs(self) -> bytes:
        """Prefix of all blobs."""
        return self.root + b"blobs/"

    def blob(self, sha256: str) -> bytes:
        """A blueprint's bytes, compressed."""
        return self.blobs + sha256.encode()


def last_number(key: bytes) -> int | None:
    """The number that a key ends with, or None where it has not the fixed width."""
    tail = key.rsplit(b"/", 1)[-1]
    return int(tail) if len(tail) == _WIDTH and tail.isdigit() else None


def after_prefix(prefix: bytes) -> bytes:
    """The end of the range of all keys that start with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else b"\x00"
