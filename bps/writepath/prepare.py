"""Heavy work between reading and deciding: done outside of `decide`, remembered by what it reads.

A decision that needs such work asks its view for the result. Where that is not there it raises
`NotPrepared`; the loop does the work and asks for a decision again. A work names all that its
result depends on by digest: when the plan moved, the next decision names another work, so that a
result is never used for what it was not made of.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from bps.core.errors import PluginError
from bps.core.ports import Key, Store
from bps.writepath.blobs import RecentBlobs

A = TypeVar("A")
T_co = TypeVar("T_co", covariant=True)

REMEMBERED = 16
"""Results kept by one write path; each may hold a blueprint of 1 MiB."""
_BATCH = 16
"""Blobs in one read: up to 16 MiB."""


class Workshop(Protocol):
    """Where heavy work runs, so that it holds up no event loop."""

    async def compute(self, function: Callable[[A], T_co], argument: A) -> T_co:
        """`function(argument)`: pure, importable by its name; the argument can be pickled.

        Raises:
            WorkFailed: it took too long or too much memory, or its process ended.
            MergeTooLong: it took too long before, and did again.
        """
        ...

    @property
    def installed(self) -> Hashable:
        """What `validate` judges by besides its arguments; equal as long as that is the same."""
        ...

    def expect_validation(self) -> None:
        """`validate` is asked for soon: what it needs may be started meanwhile."""
        ...

    async def validate(self, candidate: Any, allowed: Sequence[Any]) -> Any:  # noqa: ANN401 - see below
        """The report of the validators `allowed` on `candidate` (`bps.validation`).

        Their types are not named here, as the write path knows no slice above it.
        """
        ...


class InThreads:
    """A workshop without processes of its own: threads, and no validators."""

    async def compute(self, function: Callable[[A], T_co], argument: A) -> T_co:
        """In a thread, so that a lease is kept alive meanwhile."""
        return await asyncio.to_thread(function, argument)

    @property
    def installed(self) -> Hashable:
        """Nothing judges here."""
        return None

    def expect_validation(self) -> None:
        """There is nothing to start."""

    async def validate(self, candidate: Any, allowed: Sequence[Any]) -> Any:  # noqa: ANN401, ARG002
        """Raises PluginError: fails closed."""
        raise PluginError("Validators cannot be run here, so that nothing is promoted.")


class Work(Hashable, Protocol[T_co]):
    """One piece of work, equal to another exactly if the results are equal."""

    @property
    def reads(self) -> Sequence[bytes]:
        """Keys of immutable values that it needs."""
        ...

    async def carry_out(self, values: Mapping[bytes, bytes | None], workshop: Workshop) -> T_co:
        """The result of this work and of what is installed. None: a value that is not stored.

        It raises where a value is not what its key says: those of works that are done are kept.
        """
        ...

    def lasts(self, result: Any) -> bool:  # noqa: ANN401 - a protocol cannot say: its own result
        """Whether `result` may be remembered; a failure that may pass must not be."""
        ...


class NotPrepared(Exception):
    """A decision needs the result of `work`; the loop does it and decides again."""

    def __init__(self, work: Work[Any]) -> None:
        super().__init__(f"{type(work).__name__} is not done")
        self.work = work


class Preparations:
    """Does works, and remembers the last results.

    Cost: one read per 16 values of a new work that are not in `blobs`.
    """

    def __init__(self, store: Store, workshop: Workshop) -> None:
        self.blobs = RecentBlobs()
        self._store = store
        self._workshop = workshop
        self._results: OrderedDict[Work[Any], Any] = OrderedDict()
        self._made_with: Hashable = None

    async def result_of(self, work: Work[T_co]) -> T_co:
        """The result of `work`, from memory where it was done lately with what is installed.

        Raises:
            Unavailable: the store does not answer.
            WorkFailed, MergeTooLong: as `Workshop.compute`.
        """
        installed = self._workshop.installed
        if installed != self._made_with:
            self._results.clear()
            self._made_with = installed
        if work in self._results:
            self._results.move_to_end(work)
            known: T_co = self._results[work]
            return known
        values = await self._values(work.reads)
        result = await work.carry_out(values, self._workshop)
        # Not before: what turns out to be damaged has to be read again once it is repaired.
        for key, value in values.items():
            if value is not None:
                self.blobs.keep(key, value)
        if not work.lasts(result) or installed != self._made_with:
            return result
        self._results[work] = result
        if len(self._results) > REMEMBERED:
            self._results.popitem(last=False)
        return result

    async def _values(self, wanted: Sequence[bytes]) -> dict[bytes, bytes | None]:
        """Immutable values, so that they need not be read at one revision."""
        found: dict[bytes, bytes | None] = {key: self.blobs.get(key) for key in wanted}
        unknown = [key for key, value in found.items() if value is None]
        for start in range(0, len(unknown), _BATCH):
            keys = unknown[start : start + _BATCH]
            answers = (await self._store.snapshot([Key(key) for key in keys])).answers
            for key, kvs in zip(keys, answers, strict=True):
                if kvs:
                    found[key] = kvs[0].value
        return found
