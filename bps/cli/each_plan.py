"""One act for each of several plans: what fails for one of them keeps none of the others back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from bps.cli.output import Format
from bps.cli.readable import Readable, readable
from bps.cli.session import report
from bps.core.errors import BpsError, IntegrityError, NotFound

if TYPE_CHECKING:
    from bps.cli.backend import Backend
    from bps.client import BpsClient
    from bps.core.ports import Store

R = TypeVar("R")


async def plans_for(backend: Backend, chosen: Sequence[str]) -> Readable[str]:
    """The plans `chosen`, else all; with the error that names those that no list can have."""
    return ([*chosen], None) if chosen else await backend.read(_all_of_store, _all_of_service)


async def _all_of_store(store: Store) -> Readable[str]:
    """Plans by their keys, not by what their records say: a damaged one is not left out."""
    from bps.plans.read import list_plan_ids  # noqa: PLC0415 - only this way

    return await list_plan_ids(store), None


async def _all_of_service(client: BpsClient) -> Readable[str]:
    plans, error = await readable(client.plans())
    return [plan.plan for plan in plans], error


async def each_plan(
    plans: Sequence[str], act: Callable[[str], Awaitable[R]]
) -> tuple[list[R], dict[str, BpsError]]:
    """What `act` gives for each plan, and by plan why not: what is stored, or that there is none.

    Raises whatever else `act` raises: it would fail for all of them.
    """
    done: list[R] = []
    failed: dict[str, BpsError] = {}
    for plan in plans:
        try:
            done.append(await act(plan))
        except (IntegrityError, NotFound) as error:
            failed[plan] = error
    return done, failed


def raise_gravest(failed: Sequence[BpsError], form: Format) -> None:
    """Report all failures and raise the gravest; nothing where there is none."""
    if not failed:
        return
    gravest = next((error for error in failed if isinstance(error, IntegrityError)), failed[0])
    for error in failed:
        if error is not gravest:
            report(error, as_json=form is Format.JSON)
    raise gravest


def unreadable_of(failed: Mapping[str, BpsError]) -> dict[str, IntegrityError]:
    """Those of `failed` that are about what is stored."""
    return {plan: error for plan, error in failed.items() if isinstance(error, IntegrityError)}
