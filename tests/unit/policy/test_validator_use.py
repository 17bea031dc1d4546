"""The validators of a policy: what is stored, what its absence means, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bps.api.requests import PolicyRequest
from bps.core.codec import canonical_json
from bps.policy.model import DEFAULT_POLICY, Policy
from bps.policy.replace import ReplacePolicy
from bps.policy.validator_use import MAX_CONFIG_BYTES, MAX_VALIDATORS, ValidatorUses
from tests.asynchronous import asynchronous
from tests.doubles.scene import Scene

USES: TypeAdapter[Any] = TypeAdapter(ValidatorUses)


def deep(levels: int) -> dict[str, Any]:
    return {"a": deep(levels - 1)} if levels > 1 else {}


def test_a_policy_of_schema_1_asks_for_no_validators() -> None:
    limits = {name: value for name, value in DEFAULT_POLICY.rules.items() if type(value) is int}
    stored = canonical_json({"kind": "policy", "schema": 1, "n": "1", **limits})
    assert Policy.decode(stored).validators == []


def test_the_default_of_a_new_store_is_what_needs_no_configuration() -> None:
    names = [use.name for use in DEFAULT_POLICY.validators]
    assert names == ["locked-fields", "references", "uniqueness"]
    assert Policy.decode(DEFAULT_POLICY.encode()) == DEFAULT_POLICY


@pytest.mark.parametrize(
    "config",
    [{}, {"ü": 1}, {"\ud7ff": 1}, {"a": [None, True, -(2**53) + 1, "\U0001f600"]}, deep(32)],
)
def test_a_configuration_of_any_json_without_fractions_is_taken_and_stored(config: Any) -> None:
    uses = USES.validate_python([{"name": "a", "config": config}])
    policy = DEFAULT_POLICY.model_copy(update={"validators": uses})
    assert Policy.decode(policy.encode()) == policy


@pytest.mark.parametrize(
    "uses",
    [
        [{"name": "a", "config": {"x": 1.0}}],
        [{"name": "a", "config": {"x": [{"y": 0.5}]}}],
        [{"name": "a", "config": {"x": 2**53}}],
        [{"name": "a", "config": {"\ue000": 1}}],
        [{"name": "a", "config": {"\U0001f600": 1}}],
        [{"name": "a", "config": {"x": "\ud800"}}],
        [{"name": "a", "config": deep(33)}],
        [{"name": "a", "config": {"x": "y" * MAX_CONFIG_BYTES}}],
        [{"name": "a", "config": []}],
        [{"name": "a"}, {"name": "a"}],
        [{"name": f"v{n}"} for n in range(MAX_VALIDATORS + 1)],
        [{"name": "A"}],
        [{"name": ""}],
        [{"name": "a", "more": 1}],
    ],
)
def test_what_canonical_bytes_cannot_hold_or_is_too_much_is_refused(uses: Any) -> None:
    with pytest.raises(ValidationError):
        USES.validate_python(uses)


def test_validators_are_never_taken_out_by_silence() -> None:
    rules = {name: rule for name, rule in DEFAULT_POLICY.rules.items() if name != "validators"}
    with pytest.raises(ValidationError, match="validators"):
        PolicyRequest.model_validate(rules)


@asynchronous
async def test_true_and_1_are_different_configurations() -> None:
    scene = await Scene.make()
    numbers = []
    for n, value in enumerate((True, 1), start=2):
        rules = {**DEFAULT_POLICY.rules, "validators": [{"name": "a", "config": {"x": value}}]}
        done = await scene.path.execute(ReplacePolicy("me", f"r{n}", rules, None, ("*",)))
        numbers.append(done.result.n)
    assert numbers[1] == numbers[0] + 1
