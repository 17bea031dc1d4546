"""Every planted bug is caught in memory, and nothing is caught where none is planted."""

from __future__ import annotations

import pytest

from bps.writepath.transact import WritePath
from tests.fault.planted.bugs import load, replaced
from tests.fault.planted.detectors import DETECTORS

BUGS = load()


def test_each_bug_has_a_detector() -> None:
    assert set(BUGS) == set(DETECTORS)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught_and_its_detector_is_calm_without_it(name: str) -> None:
    detector = DETECTORS[name]
    assert detector.caught() is None
    with BUGS[name]():
        found = detector.caught()
    assert found is not None, "the bug is not caught"
    assert detector.expected(found), found
    assert detector.caught() is None, "the bug stays planted"


def test_a_bug_that_takes_nothing_away_fails_loudly() -> None:
    with (
        pytest.raises(AttributeError, match="takes nothing away"),
        replaced(WritePath, "no_such_protection", lambda before: before),
    ):
        pass
