"""A typed client of the service, for the command line, tests and agents written in Python."""

from bps.client.client import BpsClient
from bps.client.target import Target

__all__ = ["BpsClient", "Target"]
