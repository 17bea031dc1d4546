"""Which validators are installed: entry points enumerated without loading any."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from bps.core.errors import PluginError
from bps.validation.api import GROUP, Validator


@dataclass(frozen=True, slots=True)
class Installed:
    """One entry point of the group, and the distribution it comes from."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def load(self) -> type[Validator]:
        """Its class; this runs the plugin's own code.

        Raises:
            PluginError: what it names is no subclass of `Validator`.
            BaseException: whatever importing it raises.
        """
        loaded = self.entry_point.load()
        if not (isinstance(loaded, type) and issubclass(loaded, Validator)):
            msg = f"{self.entry_point.value} is no class derived from bps.validation.api.Validator."
            raise PluginError(msg, validator=self.name)
        return loaded


def installed() -> dict[str, list[Installed]]:
    """All validators by name, sorted; more than one under a name is a fault of the installation.

    Cost: reads the metadata of every installed distribution, 20-50 ms.
    """
    found: dict[str, list[Installed]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        distribution = point.dist
        entry = Installed(
            point.name,
            "" if distribution is None else distribution.name,
            "" if distribution is None else distribution.version,
            point,
        )
        found.setdefault(point.name, []).append(entry)
    return found
