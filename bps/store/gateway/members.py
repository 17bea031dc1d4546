"""The cluster's members: idle clients for each, and the one that the next call goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from bps.core.capabilities import missing_option
