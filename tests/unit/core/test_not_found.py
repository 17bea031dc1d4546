"""What is not there is told with the list to look into."""

from __future__ import annotations

import pytest

from bps.core.error_catalogue import next_action_of
from bps.core.errors import Fact, NotFound


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        ({"review": "EP-42-RV9"}, "`bps review list EP-42`"),
        ({"plan": "EP-42", "branch": "66400e4b"}, "`bps branch list EP-42`"),
        ({"rr_plan": "EP-42-RR(br66400e4b)-1"}, "`bps branch list EP-42`"),
        ({"plan": "EP-42", "version": "7"}, "`bps log EP-42`"),
        ({"plan": "EP-42", "digest": "00"}, "`bps log EP-42`"),
        ({"plan": "EP-42"}, "`bps plan list`"),
        ({"checkpoint": "3"}, "`bps checkpoint list`"),
    ],
)
def test_the_list_is_the_one_that_holds_such_things(facts: dict[str, Fact], command: str) -> None:
    assert command in next_action_of(NotFound("It is not there.", **facts))


def test_an_advice_of_its_own_stays() -> None:
    error = NotFound("It is not there.", plan="EP-42").advising("Look elsewhere.")
    assert next_action_of(error) == "Look elsewhere."
