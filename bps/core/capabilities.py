"""An adapter declares what it can do; one that is unfit for a job is refused at its start."""

from __future__ import annotations

from bps.core.errors import CapabilityMissing
from bps.core.ports import Capability, Store


def require(store: Store, *capabilities: Capability) -> None:
    """Refuse `store` unless it declares all of `capabilities`; costs no round trip.

    Raises:
        CapabilityMissing: the first that it does not declare.
    """
    for capability in capabilities:
        if capability not in store.capabilities:
            raise missing(type(store).__name__, capability)


def missing(adapter: str, capability: Capability) -> CapabilityMissing:
    """What a method raises whose capability its adapter does not declare."""
    return CapabilityMissing(
        f"{adapter} cannot do `{capability.value}`.", adapter=adapter, capability=capability.value
    )
