"""Whose term it was, by revision: what a watch on the leader's key shows while faults go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

import orjson

from bps.core import keys
from bps.core.errors import Compacted, StoreError
from bps.core.ports import Key, Store, WatchBatch
from tests.fault.history import Note, Recorder

_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Term:
    """The holder's key existed in the revisions after `created` and before `ended` (None: still).

    Writes of the term lie strictly between: the campaign and the end are revisions of their own.
    """

    holder: str
    created: int
    ended: int | None = None

    def holds(self, revision: int) -> bool:
        """Whether a write at `revision` is inside."""
        return self.created < revision and (self.ended is None or revision < self.ended)


@dataclass(frozen=True, slots=True)
class Terms:
    """All terms that were seen, and the revisions (both included) in which nobody looked."""

    terms: tuple[Term, ...]
    unseen: tuple[tuple[int, int], ...] = ()

    def at(self, revision: int) -> Term | None:
        """Whose term `revision` was in."""
        return next((term for term in self.terms if term.holds(revision)), None)

    def seen(self, revision: int) -> bool:
        """Whether the watch showed `revision`."""
        return not any(first <= revision <= last for first, last in self.unseen)


@dataclass(slots=True)
class TermRecorder:
    """Watches the leader's key from one revision on; give `store` connections of its own."""

    store: Store
    recorder: Recorder
    _terms: list[Term] = field(default_factory=list)
    _unseen: list[tuple[int, int]] = field(default_factory=list)
    revision: int = 0
    """Everything up to here was seen."""

    @property
    def found(self) -> Terms:
        """What was seen so far."""
        return Terms(tuple(self._terms), tuple(self._unseen))

    async def begin(self) -> None:
        """Look who leads now; what was before is not seen. One round trip. Raises Unavailable."""
        snapshot = await self.store.snapshot([Key(keys.LEADER_HOLDER)])
        held = snapshot.answers[0]
        created = held[0].create_revision if held else snapshot.revision
        newest = self._terms[-1] if self._terms else None
        if held and newest is not None and newest.created == created and newest.ended is None:
            # The same term went on, so that nothing was missed.
            self.revision = snapshot.revision
            return
        if newest is not None and newest.ended is None:
            self._end(self.revision + 1)
        unseen = (self.revision + 1, created - 1 if held else snapshot.revision)
        self._unseen.append(unseen)
        self.recorder.note("terms_unseen", first=unseen[0], last=unseen[1])
        if held:
            self._create(held[0].value, created)
        self.revision = snapshot.revision

    async def follow(self) -> None:
        """Record terms until it is cancelled or `store` closed, through cuts and compactions."""
        while True:
            try:
                if not self.revision:
                    await self.begin()
                watched = self.store.watch(keys.LEADER_HOLDER, start_revision=self.revision + 1)
                async with aclosing(watched) as batches:
                    async for batch in batches:
                        self.take(batch)
            except Compacted:
                await self._begin_again()
            except StoreError:
                await asyncio.sleep(_PAUSE_S)
            else:
                return

    async def _begin_again(self) -> None:
        while True:
            try:
                return await self.begin()
            except StoreError:
                await asyncio.sleep(_PAUSE_S)

    def take(self, batch: WatchBatch) -> None:
        """Take one batch of the watch."""
        for event in batch.events:
            if event.kv.key != keys.LEADER_HOLDER:
                continue
            if event.deleted:
                self._end(batch.revision)
            elif event.kv.create_revision == batch.revision:
                self._create(event.kv.value, batch.revision)
        self.revision = max(self.revision, batch.revision)

    def _create(self, value: bytes, revision: int) -> None:
        holder = orjson.loads(value)["sidecar"]
        self._terms.append(Term(holder, revision))
        self.recorder.note("term", holder=holder, created=revision)

    def _end(self, revision: int) -> None:
        if self._terms and self._terms[-1].ended is None:
            last = self._terms.pop()
            self._terms.append(Term(last.holder, last.created, revision))
            self.recorder.note("term_ended", created=last.created, ended=revision)


def terms_of(notes: Iterable[Note]) -> Terms:
    """The terms that a history file tells of."""
    terms: list[Term] = []
    unseen: list[tuple[int, int]] = []
    for note in notes:
        facts = note.facts
        if note.what == "term":
            terms.append(Term(facts["holder"], facts["created"]))
        elif note.what == "term_ended":
            terms[-1] = Term(terms[-1].holder, terms[-1].created, facts["ended"])
        elif note.what == "terms_unseen":
            unseen.append((facts["first"], facts["last"]))
    return Terms(tuple(terms), tuple(unseen))
