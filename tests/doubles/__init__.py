"""Stores and clocks for tests: they record, fail by a script, and move when they are told to."""

from tests.doubles.authority import HeldAuthority
from tests.doubles.faulty_store import ApplyLate, Fault, FaultyStore
from tests.doubles.manual_clock import ManualClock
from tests.doubles.policies import put_policy, without_validators
from tests.doubles.recording_store import RecordingStore
from tests.doubles.scene import PLAN, WHO, Scene, ref, registration

__all__ = [
    "PLAN",
    "WHO",
    "ApplyLate",
    "Fault",
    "FaultyStore",
    "HeldAuthority",
    "ManualClock",
    "RecordingStore",
    "Scene",
    "put_policy",
    "ref",
    "registration",
    "without_validators",
]
