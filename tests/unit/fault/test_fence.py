"""A write outside of its writer's term is found, and terms are recorded from a watch."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bps.core import keys
from bps.core.ports import Key, Store
from bps.core.txn import Put, Txn
from bps.leadership.election import Holder
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.doubles import ManualClock
from tests.fault.check_fence import check_fence, writer_of
from tests.fault.history import Ok, Recorder, Unknown, load
from tests.fault.terms import Term, TermRecorder, Terms, terms_of
from tests.unit.fault.story import Story, kinds


def _story() -> Story:
    """Writes at revisions 10 (registration) to 13 (promotion), all by s1."""
    story = Story()
    story.register()
    story.cycle()
    return story


def test_writes_inside_their_writers_term_pass() -> None:
    story = _story()
    terms = Terms((Term("s2", 1, 8), Term("s1", 9, 14), Term("s2", 15)))
    assert check_fence(story.history, story.final, terms) == []


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        ((Term("s1", 1, 13), Term("s2", 14)), "while nobody led"),
        ((Term("s1", 1, 11), Term("s2", 12)), "in the term of s2"),
        ((), "while nobody led"),
    ],
)
def test_a_write_outside_of_its_term_is_found(terms: tuple[Term, ...], what: str) -> None:
    story = _story()
    found = check_fence(story.history, story.final, Terms(terms))
    assert kinds(found) == {"old-fence"}
    assert any(what in each.what and story.operations[-1].id in each.ops for each in found)


def test_terms_that_overlap_are_found() -> None:
    terms = Terms((Term("s1", 1, 20), Term("s2", 15)))
    story = _story()
    assert "inside that of s1" in check_fence(story.history, story.final, terms)[0].what


def test_nothing_is_said_of_what_nobody_saw() -> None:
    story = _story()
    assert check_fence(story.history, story.final, Terms((), ((1, 13),))) == []


def test_the_writer_is_known_from_one_attempt_or_from_a_commit() -> None:
    story = _story()
    tried = ("s1", "s2")
    promoted = story.change(story.operations[-1], tried=tried, sidecar="s2")
    assert writer_of(promoted) == "s2"
    assert isinstance(promoted.outcome, Ok)
    repeated = story.change(promoted, outcome=Ok(promoted.outcome.result, "repeated"))
    assert writer_of(repeated) is None
    alone = story.change(repeated, outcome=Unknown("x"), tried=("s1",))
    assert writer_of(alone) == "s1"


async def _lead(store: Store, name: str) -> int:
    record = Holder(sidecar=name, since_ms=1).encode()
    lease = await store.lease_grant(60)
    await store.commit(Txn((), (Put(keys.LEADER_HOLDER, record, lease.lease_id),)))
    return lease.lease_id


@asynchronous
async def test_terms_are_recorded_from_the_watch_and_read_back(tmp_path: Path) -> None:
    clock = ManualClock(jumps=True)
    store = MemoryStore(clock)
    path = tmp_path / "history"
    with Recorder(path) as recorder:
        terms = TermRecorder(store, recorder)
        await terms.begin()
        following = asyncio.create_task(terms.follow())
        await store.lease_revoke(await _lead(store, "s1"))
        await _lead(store, "s2")

        async def both() -> bool:
            return len(terms.found.terms) == 2

        await eventually(both, "both terms were seen")
        following.cancel()
    first, second = terms.found.terms
    assert (first.holder, second.holder, second.ended) == ("s1", "s2", None)
    assert first.ended is not None
    assert first.created < first.ended < second.created
    assert terms_of(load(path).notes) == terms.found


@asynchronous
async def test_what_a_compaction_took_is_not_seen(tmp_path: Path) -> None:
    store = MemoryStore(ManualClock(jumps=True))
    with Recorder(tmp_path / "history") as recorder:
        terms = TermRecorder(store, recorder)
        await _lead(store, "s1")
        await terms.begin()
        created = terms.found.terms[0].created
        await store.lease_revoke(await _lead(store, "s1"))
        await _lead(store, "s2")
        now = terms.revision
        await store.compact((await store.snapshot([Key(keys.LEADER_HOLDER)])).revision)
        following = asyncio.create_task(terms.follow())

        async def second() -> bool:
            return len(terms.found.terms) == 2

        await eventually(second, "the term after the compaction was seen")
        await store.close()
        await following
    found = terms.found
    assert found.terms[0] == Term("s1", created, now + 1)
    assert found.terms[1].holder == "s2"
    assert not found.seen(now + 1)
    assert found.seen(found.terms[1].created + 1)


@asynchronous
async def test_a_term_that_went_on_hides_nothing(tmp_path: Path) -> None:
    store = MemoryStore(ManualClock(jumps=True))
    with Recorder(tmp_path / "history") as recorder:
        terms = TermRecorder(store, recorder)
        await _lead(store, "s1")
        await terms.begin()
        before = terms.found
        await store.commit(Txn((), (Put(b"another key", b""),)))
        await terms.begin()
    assert terms.found == before
    assert terms.revision == (await store.snapshot([Key(keys.LEADER_HOLDER)])).revision
