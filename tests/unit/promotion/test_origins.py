"""What came from where is stored with each version, in the transaction that publishes it."""

from __future__ import annotations

import pytest

from bps.api.origins import OriginsView
from bps.core.errors import MalformedRecord
from bps.core.keys import PlanKeys
from bps.core.txn import Put
from bps.merge.compact import MAX_ROWS_BYTES
from bps.plans.blob import pack, unpack
from bps.plans.events import BlueprintPromoted
from bps.plans.model import Version
from bps.plans.origins import OriginReport, origins_of, report_in
from bps.plans.read import blueprint
from bps.replay.merges import verify_merges
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene
from tests.edited import edited

BASE = b"title: checkout\nretries: 3\ntimeout_ms: 900\ncarts: open\n"
KEYS = PlanKeys(PLAN)


RETRIES, CARTS = edited(BASE, (b": 3", b": 5")), edited(BASE, (b"carts: open\n", b""))


async def newest(scene: Scene) -> Version:
    return (await scene.versions())[-1]


async def report_of(scene: Scene, version: Version | None = None) -> OriginReport:
    named = version or await newest(scene)
    assert named.origins is not None
    return report_in(await blueprint(scene.memory, PLAN, named.origins), named)


async def view_of(scene: Scene, number: int) -> OriginsView:
    version = (await scene.versions())[number - 1]
    report = None
    if version.origins is not None:
        report = await blueprint(scene.memory, PLAN, version.origins)
    return OriginsView.of(await origins_of(scene.store, version, report))


async def proven(scene: Scene) -> None:
    await scene.proven()
    assert (await verify_merges(scene.memory, PLAN)).made_again > 0


@asynchronous
async def test_a_merge_stores_its_report_in_the_transaction_of_its_version() -> None:
    scene = await Scene.make(content=BASE)
    one, two = await scene.succeed("T1", RETRIES), await scene.succeed("T2", CARTS)
    scene.store.reset()
    await scene.promote()
    assert scene.store.calls == ["commit"]
    assert scene.store.writes == 1
    version = await newest(scene)
    written = {op.key for op in scene.store.txns[0].operations if isinstance(op, Put)}
    assert {KEYS.blob(version.digest), KEYS.blob(version.origins or ""), KEYS.version(2)} <= written
    body = next(b for _, b in await scene.log() if isinstance(b, BlueprintPromoted))
    assert body.merge is not None
    assert body.merge.origins == version.origins
    report = await report_of(scene)
    assert (report.canonical_digest, report.digest) == (pack(BASE).digest, version.digest)
    assert {(each.source, each.by) for each in report.sources} == {
        (one.rr_plan, WHO),
        (two.rr_plan, WHO),
    }
    told = {
        each.path: (each.change, each.sources, each.before, each.after) for each in report.changes
    }
    assert told == {
        "/retries": ("changed", [one.rr_plan], "3", "5"),
        "/carts": ("deleted", [two.rr_plan], '"open"', None),
    }
    assert report.left_out == 0
    await proven(scene)


@asynchronous
async def test_a_late_branch_is_told_against_what_was_canonical_then() -> None:
    scene = await Scene.make(content=BASE)
    one, late = await scene.succeed("T1", RETRIES), await scene.succeed("T2", CARTS)
    await scene.promote(one)
    await scene.promote(late)
    report = await report_of(scene)
    assert [(each.path, each.sources) for each in report.changes] == [("/carts", [late.rr_plan])]
    assert report.canonical_digest == pack(RETRIES).digest
    await proven(scene)


@asynchronous
async def test_a_reviewer_s_completion_tells_what_was_decided() -> None:
    scene = await Scene.make(content=BASE)
    one = await scene.succeed("C1", edited(CARTS, (b": 3", b": 7")))
    two = await scene.succeed("C2", edited(BASE, (b": 3", b": 9")))
    await scene.refused(one, two)
    await scene.resolve("/retries", two)
    await scene.complete()
    told = {each.path: (each.change, each.sources) for each in (await report_of(scene)).changes}
    assert told == {
        "/retries": ("resolved", [two.rr_plan]),
        "/carts": ("deleted", [one.rr_plan]),
    }
    await proven(scene)


@asynchronous
async def test_what_a_decision_removed_is_told_as_absent_and_by_whom() -> None:
    scene = await Scene.make(content=BASE)
    one = await scene.succeed("C1", edited(BASE, (b": 3", b": 7"), (b"carts: open\n", b"")))
    two = await scene.succeed("C2", edited(BASE, (b": 3", b": 9"), (b"carts: open", b"carts: no")))
    await scene.refused(one, two)
    await scene.resolve("/carts", one, who="ann")
    await scene.resolve("/retries", text="null", who="bob")
    await scene.complete()
    view = await view_of(scene, 2)
    told = {each.path: (each.change, each.before, each.after, each.absent) for each in view.explain}
    assert told == {
        "/carts": ("resolved", "open", None, ["after"]),
        "/retries": ("resolved", 3, None, []),
    }
    decided = {each.path: (each.take, each.text, each.by) for each in view.decisions}
    assert decided == {
        "/carts": (one.rr_plan, None, "ann"),
        "/retries": (None, "null", "bob"),
    }
    await proven(scene)


@asynchronous
async def test_a_version_without_its_event_is_not_told_as_if_nobody_had_decided() -> None:
    scene = await Scene.make(content=BASE)
    await scene.succeed("T1", RETRIES)
    await scene.succeed("T2", CARTS)
    await scene.promote()
    version = (await newest(scene)).model_copy(update={"seq": 99})
    content = await blueprint(scene.memory, PLAN, version.origins or "")
    with pytest.raises(MalformedRecord, match="lacks its event 99"):
        await origins_of(scene.store, version, content)


@asynchronous
async def test_a_merge_that_equals_a_submission_has_its_report_too() -> None:
    scene = await Scene.make(content=BASE)
    both = edited(RETRIES, (b"carts: open\n", b""))
    part, whole = await scene.succeed("T1", CARTS), await scene.succeed("T2", both)
    await scene.promote(part, whole)
    version = await newest(scene)
    assert version.digest == pack(both).digest
    told = {each.path: each.sources for each in (await report_of(scene)).changes}
    assert told["/retries"] == [whole.rr_plan]
    assert set(told["/carts"]) == {part.rr_plan, whole.rr_plan}
    await proven(scene)


@asynchronous
async def test_what_is_taken_over_as_it_is_needs_no_report_and_no_blob() -> None:
    scene = await Scene.make(content=BASE)
    one, same = await scene.succeed("T1", RETRIES), await scene.succeed("T2", RETRIES)
    scene.store.reset()
    await scene.promote()
    await scene.revert(1)
    assert [op for txn in scene.store.txns for op in txn.operations if b"/blobs/" in op.key] == []
    assert [version.origins for version in await scene.versions()] == [None] * 3
    registered, taken, reverted = [await view_of(scene, n) for n in (1, 2, 3)]
    assert (registered.how, registered.sources, registered.base_version) == (
        "registration",
        [],
        None,
    )
    assert [(e.path, e.change, e.cut) for e in registered.explain] == [("", "added", ["after"])]
    assert (taken.how, taken.base_version) == ("taken_over", "1")
    assert {(e.source, e.by) for e in taken.sources} == {(one.rr_plan, WHO), (same.rr_plan, WHO)}
    (line,) = taken.explain
    assert (line.path, line.change, set(line.sources)) == (
        "",
        "changed",
        {one.rr_plan, same.rr_plan},
    )
    assert (reverted.how, [e.source for e in reverted.sources]) == ("revert", ["version 1"])
    await proven(scene)


@asynchronous
async def test_the_view_gives_values_as_the_merge_command_does() -> None:
    scene = await Scene.make(content=BASE)
    long = edited(BASE, (b"title: checkout", b"title: " + b"x" * 500))
    await scene.succeed("T1", RETRIES)
    await scene.succeed("T2", long)
    await scene.promote()
    view = await view_of(scene, 2)
    assert (view.how, view.version, view.base_version, view.left_out) == ("merge", "2", "1", 0)
    told = {each.path: each for each in view.explain}
    assert (told["/retries"].before, told["/retries"].after, told["/retries"].cut) == (3, 5, [])
    assert told["/title"].before == "checkout"
    assert (told["/title"].after, told["/title"].cut) == ('"' + "x" * 119, ["after"])


@asynchronous
async def test_nothing_is_told_of_a_promotion_that_made_no_version() -> None:
    scene = await Scene.make(content=BASE)
    late = await scene.succeed("T1", RETRIES)
    await scene.promote(await scene.succeed("T2", edited(RETRIES, (b"carts: open\n", b""))))
    blobs = await scene.below(KEYS.blobs)
    assert (await scene.promote(late)).how == "unchanged"
    assert await scene.below(KEYS.blobs) == blobs


@asynchronous
async def test_a_report_of_something_else_is_not_believed() -> None:
    scene = await Scene.make(content=BASE)
    await scene.succeed("T1", RETRIES)
    await scene.succeed("T2", CARTS)
    await scene.promote()
    version = await newest(scene)
    content = await blueprint(scene.memory, PLAN, version.origins or "")
    with pytest.raises(MalformedRecord, match="another blueprint"):
        report_in(content, version.model_copy(update={"digest": "0" * 64}))
    with pytest.raises(MalformedRecord):
        report_in(BASE, version)


@asynchronous
async def test_many_long_changes_of_24_fit_one_transaction_and_are_counted() -> None:
    rows, each = 48, 20
    base = b"".join(b"s%02d:\n" % s + _rows(s, range(rows)) for s in range(24))
    scene = await Scene.make(content=base)
    for s in range(24):
        content = base
        for row in range(each):
            content = edited(content, (_row(s, row, b"v"), _row(s, row, b"w")))
        await scene.succeed(f"T{s}", content)
    scene.store.reset()
    await scene.promote()
    report = await report_of(scene)
    assert len(report.changes) + report.left_out == 24 * each
    assert report.left_out > 0
    version = await newest(scene)
    (frame,) = await scene.below(KEYS.blob(version.origins or ""))
    assert len(unpack(frame.value, version.origins or "")) < MAX_ROWS_BYTES + 4_096
    assert scene.store.txns[-1].size_bytes < 200_000
    await proven(scene)


def _row(section: int, row: int, value: bytes) -> bytes:
    return b"  s%02dk%02d: %s" % (section, row, value * 300)


def _rows(section: int, rows: range) -> bytes:
    return b"".join(_row(section, row, b"v") + b"\n" for row in rows)
