"""Random lives of a plan over HTTP, against a model: answers, state and replay agree."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.lives import Lives
from tests.contract.service import InThread, in_thread

SEED = "BPS_TEST_SEED"
"""Names the seed of a run that is to be repeated; then a failure is made as small as possible."""
_USUAL_SEED = 1
"""The same in each run, so that nothing fails by chance; `make contract` takes others."""
LIVES = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=[Phase.generate, *([Phase.shrink] if SEED in os.environ else [])],
    suppress_health_check=[HealthCheck.too_slow],
)
AT_LEAST = {
    "life with a promotion": 30,
    "promotions 201": 30,
    "promotions MERGE_CONFLICT": 5,
    "review opened": 5,
    "promotions PRECONDITION_FAILED": 5,
    "reverts 201": 5,
    "repeated key": 5,
    "repeated key with another body": 5,
    "policy replaced between promotions": 3,
}
"""What must have happened in all lives together, or the run has proved nothing."""


@pytest.fixture(scope="module")
def served() -> Iterator[InThread]:
    with in_thread() as found:
        yield found


def test_random_lives_of_a_plan_go_as_the_model_says(served: InThread) -> None:
    chosen = int(os.environ.get(SEED) or _USUAL_SEED)
    Lives.served = served
    Lives.happened.clear()
    bearer = {"Authorization": f"Bearer {served.service.token}"}
    with httpx.Client(base_url=served.service.url, headers=bearer, trust_env=False) as client:
        Lives.client = client
        try:
            run_state_machine_as_test(seed(chosen)(Lives), settings=LIVES)
        except BaseException as error:
            error.add_note(f"To repeat it: {SEED}={chosen}")
            raise
    if chosen == _USUAL_SEED:
        missed = [what for what, least in AT_LEAST.items() if Lives.happened[what] < least]
        assert not missed, f"too little happened: {Lives.happened}"
