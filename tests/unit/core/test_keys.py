"""Keys: one place builds them, and the key map names them all."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cached_property

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core import keys
from bps.core.keys import KEY_MAP, ROOT, PlanKeys

HASH = "ab" * 20
SHA256 = "cd" * 32
NUMBER = rb"\d{19}"
PLACES = {
    b"{n}": NUMBER,
    b"{seq}": NUMBER,
    b"{p}": rb"EP-[1-9]\d*",
    b"{i}": rb"[a-z0-9-]+",
    b"{principal}": rb"[a-z0-9._@-]+",
    b"{id}": rb"[A-Za-z0-9._:-]+",
    b"{branch}": rb"[0-9a-f]{40}",
    b"{sha256}": rb"[0-9a-f]{64}",
}
ARGUMENTS: dict[str, object] = {
    "n": 7, "seq": 8, "branch_id": HASH, "sha256": SHA256, "initiative": "checkout",
    "principal": "ci", "op_id": "x.1", "initiative_id": "checkout",
    "name": "rack 1/2", "credential_id": "0123456789abcdef", "key_id": "0123456789abcdef",
    "plan": "EP-42",
}  # fmt: skip
PREFIXES = {
    "root", "versions", "events", "bodies", "branches", "rr_plans", "rr_plans_of", "blobs",
    "reviews",
}  # fmt: skip
MODULE_CONSTANTS = (
    keys.SCHEMA,
    keys.LEADER_HOLDER,
    keys.OPS_LEASE,
    keys.OPERATOR_MODE,
    keys.POLICY_CURRENT,
    keys.TOKEN_REGISTRY,
    keys.KEY_REGISTRY,
    keys.CHECKPOINT_TIP,
)
MODULE_FUNCTIONS: tuple[Callable[..., bytes], ...] = (
    keys.policy,
    keys.governance,
    keys.op,
    keys.initiative,
    keys.token,
    keys.key,
    keys.checkpoint,
    keys.checkpointed,
    keys.rollback,
    keys.sidecar,
    keys.clock,
)


def _pattern(row: keys.KeyRow) -> re.Pattern[bytes]:
    escaped = re.escape(row.pattern.encode()).replace(rb"\{", b"{").replace(rb"\}", b"}")
    for place, form in PLACES.items():
        escaped = escaped.replace(place, form)
    return re.compile(re.escape(ROOT) + escaped)


def _built() -> dict[str, bytes]:
    """Every key that the module can build, by the name of what builds it."""
    plan_keys = PlanKeys("EP-42")
    built = {f"constant {i}": key for i, key in enumerate(MODULE_CONSTANTS)}
    for function in MODULE_FUNCTIONS:
        names = inspect.signature(function).parameters
        built[function.__name__] = function(**{name: ARGUMENTS[name] for name in names})
    for name, member in inspect.getmembers(PlanKeys):
        if name.startswith("_") or name == "plan" or name in PREFIXES:
            continue
        if isinstance(member, cached_property):
            built[name] = getattr(plan_keys, name)
        else:
            parameters = list(inspect.signature(member).parameters)[1:]
            built[name] = getattr(plan_keys, name)(*(ARGUMENTS[each] for each in parameters))
    return built


def test_the_key_map_names_every_key_exactly_once() -> None:
    rows = [_pattern(row) for row in KEY_MAP]
    for name, key in _built().items():
        assert sum(1 for row in rows if row.fullmatch(key)) == 1, (name, key)
    for row in rows:
        assert any(row.fullmatch(key) for key in _built().values()), row.pattern


def test_every_row_says_what_it_holds_and_who_compares_it() -> None:
    assert len({row.pattern for row in KEY_MAP}) == len(KEY_MAP)
    assert all(row.holds and row.compared_by for row in KEY_MAP)


def test_no_prefix_reaches_into_another_plan_or_kind() -> None:
    one, ten = PlanKeys("EP-1"), PlanKeys("EP-10")
    assert not ten.head.startswith(one.root)
    assert not one.record.startswith(one.root)
    kinds = [one.versions, one.events, one.bodies, one.branches, one.rr_plans, one.blobs]
    assert not any(a != b and a.startswith(b) for a in kinds for b in kinds)
    assert one.rr_plan(HASH, 1).startswith(one.rr_plans_of(HASH[:8]))
    assert one.branch(HASH).startswith(one.branch(HASH[:8]))


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_the_order_of_keys_is_the_order_of_numbers(a: int, b: int) -> None:
    plan_keys = PlanKeys("EP-1")
    assert (plan_keys.event(a) < plan_keys.event(b)) == (a < b)
    assert keys.last_number(plan_keys.event(a)) == a


@pytest.mark.parametrize(
    "key", [b"a/1", b"a/" + b"0" * 18, b"a/" + b"0" * 20, b"a/" + b"x" * 19, b"a/", b""]
)
def test_a_key_without_a_number_of_fixed_width_ends_with_none(key: bytes) -> None:
    assert keys.last_number(key) is None


@given(st.binary(min_size=1, max_size=4), st.binary(max_size=6))
def test_after_prefix_is_the_end_of_exactly_the_prefix(prefix: bytes, key: bytes) -> None:
    end = keys.after_prefix(prefix)
    below = end == b"\x00" or key < end
    assert (prefix <= key and below) == key.startswith(prefix)


def test_after_prefix_without_an_end_is_etcds_nul() -> None:
    assert keys.after_prefix(b"\xff\xff") == b"\x00"
    assert keys.after_prefix(b"a\xff") == b"b"
