"""`sync` on real directories: what is written, what is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bps.core.errors import (
    ConfigError,
    InvalidBlueprint,
    InvalidId,
    NotFound,
    UnsafePath,
)
from bps.workspace.fork import read_fork
from bps.workspace.sync import sync
from bps.workspace.touched import rr_plans_touched
from tests.asynchronous import asynchronous
from tests.unit.workspace.plan_under_work import (
    BASE,
    EDIT,
    FIX,
    OTHER_FIX,
    PLAN,
    PlanUnderWork,
    registered_plan,
)


def header(work: PlanUnderWork, rr_plan: str) -> dict[str, object]:
    loaded = json.loads((work.directory / rr_plan / "rr_plan.json").read_bytes())
    assert isinstance(loaded, dict)
    return loaded


def canonical(work: PlanUnderWork) -> dict[str, object]:
    loaded = json.loads((work.directory / "canonical_blueprint.json").read_bytes())
    assert isinstance(loaded, dict)
    return loaded


@asynchronous
async def test_a_plan_from_registration_to_revert(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        first, second = await work.open("F1"), await work.open("F2")
        await work.sync()
        assert set(work.tree()) == {
            "EP-42/canonical_blueprint.yaml",
            "EP-42/canonical_blueprint.json",
            *(
                f"EP-42/{rr.rr_plan}/{name}"
                for rr in (first, second)
                for name in ("blueprint_v1.yaml", "rr_plan.json")
            ),
        }
        assert work.fork(first).read_bytes() == BASE
        assert header(work, first.rr_plan)["status"] == "OPEN"

        await work.submit(first, FIX)
        await work.submit(second, OTHER_FIX)
        await work.promote(first)
        revision_2 = await work.rebase(second)
        report = await work.sync()
        assert report.conflicts == []
        assert (work.directory / "canonical_blueprint.yaml").read_bytes() == FIX
        assert work.fork(first).read_bytes() == FIX
        assert work.fork(second).read_bytes() == OTHER_FIX
        assert work.fork(revision_2).name == "blueprint_v2.yaml"
        assert work.fork(revision_2).read_bytes() == FIX
        assert header(work, first.rr_plan)["status"] == "PROMOTED"
        assert header(work, second.rr_plan)["status"] == "OBSOLETE_SUPERSEDED"
        assert header(work, revision_2.rr_plan)["status"] == "OPEN"
        assert canonical(work)["version"] == "2"

        await work.revert(1)
        await work.fail(revision_2, "given up")
        assert (await work.sync()).conflicts == []
        assert (work.directory / "canonical_blueprint.yaml").read_bytes() == BASE
        described = canonical(work)
        assert (described["version"], described["how"]) == ("3", "revert")
        assert (described["reverted_to"], described["reason"]) == ("1", "it was worse")
        assert header(work, revision_2.rr_plan)["reason"] == "given up"


@asynchronous
async def test_a_second_sync_writes_nothing(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        await work.open("F1")
        first = await work.sync()
        before = {p: p.stat().st_mtime_ns for p in work.root.rglob("*")}
        again = await work.sync()
        assert (again.written, again.removed, again.conflicts) == ([], [], [])
        assert again.unchanged == first.written
        assert {p: p.stat().st_mtime_ns for p in work.root.rglob("*")} == before


@asynchronous
async def test_missing_files_and_a_lost_workspace_are_made_again(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        await work.sync()
        whole = work.tree()
        work.fork(rr).unlink()
        (work.directory / "canonical_blueprint.json").unlink()
        assert len((await work.sync()).written) == 2
        assert work.tree() == whole
        work.root.rename(tmp_path / "lost")
        await work.sync()
        assert work.tree() == whole


@asynchronous
async def test_an_edited_fork_stays_until_it_is_submitted(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        await work.sync()
        work.fork(rr).write_bytes(EDIT)
        for _ in range(3):
            report = await work.sync()
            (conflict,) = report.conflicts
            assert conflict.edited == f"EP-42/{rr.rr_plan}/blueprint_v1.yaml"
            assert conflict.beside is not None
            assert (work.root / conflict.beside).read_bytes() == BASE
            assert work.fork(rr).read_bytes() == EDIT
            assert len(list(work.fork(rr).parent.iterdir())) == 3
            error = report.conflict()
            assert error is not None
            assert conflict.edited in error.message
            assert conflict.beside in error.message

        await work.submit(rr, EDIT)
        report = await work.sync()
        assert report.conflict() is None
        assert report.removed == [conflict.beside]
        assert work.fork(rr).read_bytes() == EDIT


@asynchronous
async def test_moving_the_edited_file_away_ends_the_conflict(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        await work.sync()
        edited = work.directory / "canonical_blueprint.yaml"
        edited.write_bytes(EDIT)
        assert len((await work.sync()).conflicts) == 1
        edited.rename(tmp_path / "mine.yaml")
        report = await work.sync()
        assert report.conflicts == []
        assert len(report.removed) == 1
        assert edited.read_bytes() == BASE


@asynchronous
async def test_files_beside_of_earlier_versions_do_not_pile_up(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        await work.sync()
        (work.directory / "canonical_blueprint.yaml").write_bytes(EDIT)
        await work.sync()
        rr = await work.open("F1")
        await work.submit(rr, FIX)
        await work.promote(rr)
        for _ in range(2):
            (conflict,) = (await work.sync()).conflicts
            assert conflict.beside is not None
            assert (work.root / conflict.beside).read_bytes() == FIX
            assert len([p for p in work.directory.iterdir() if p.is_file()]) == 3


@asynchronous
async def test_edited_files_beside_are_left_alone_too(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        await work.sync()
        (work.directory / "canonical_blueprint.yaml").write_bytes(EDIT)
        for count in (1, 2):
            (conflict,) = (await work.sync()).conflicts
            assert conflict.beside is not None
            (work.root / conflict.beside).write_bytes(b"also mine %d\n" % count)
        before = work.tree()
        report = await work.sync()
        assert report.conflicts[0].beside is None
        error = report.conflict()
        assert error is not None
        assert "edited too" in error.message
        assert work.tree() == before
        (work.directory / "canonical_blueprint.yaml").unlink()
        assert (await work.sync()).removed == []


@asynchronous
async def test_stale_unedited_files_are_replaced(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        await work.sync()
        old = work.tree()
        await work.submit(rr, FIX)
        await work.promote(rr)
        report = await work.sync()
        assert report.conflicts == []
        assert len(report.written) == len(old) == 4
        new = work.tree()
        for path, data in old.items():
            (work.root / path).write_bytes(data)
        assert (await work.sync()).conflicts == []
        assert work.tree() == new


@asynchronous
async def test_an_edited_document_stays(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        await work.sync()
        document = work.directory / "canonical_blueprint.json"
        edited = document.read_bytes().replace(b'"version": "1"', b'"version": "9"')
        document.write_bytes(edited)
        for _ in range(2):
            (conflict,) = (await work.sync()).conflicts
            assert conflict.edited == "EP-42/canonical_blueprint.json"
            assert document.read_bytes() == edited
        assert len(list(work.directory.iterdir())) == 3


@pytest.mark.parametrize("content", [b"", b"\0" * 2_000_000, b"{"])
@asynchronous
async def test_whatever_is_unknown_stays(tmp_path: Path, content: bytes) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        await work.sync()
        for path in (path for path in list(work.root.rglob("*")) if path.is_file()):
            path.write_bytes(content)
        assert len((await work.sync()).conflicts) == 4
        assert work.fork(rr).read_bytes() == content


@asynchronous
async def test_only_the_named_rr_plans_are_written(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        first, second = await work.open("F1"), await work.open("F2")
        await work.sync(second.rr_plan)
        assert work.fork(second).exists()
        assert not work.fork(first).exists()
        work.fork(second).write_bytes(EDIT)
        assert (await work.sync(first.rr_plan)).conflicts == []
        for unknown in ("EP-42-RR(br00000000)-1", f"{first.rr_plan}9", "EP-7-RR(br00000000)-1"):
            with pytest.raises(NotFound):
                await work.sync(unknown)
        with pytest.raises(InvalidId):
            await work.sync("../../etc")


@asynchronous
async def test_an_act_touches_the_rr_plans_that_its_result_names(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        first, second = await work.open("F1"), await work.open("F2")
        assert rr_plans_touched(first) == (first.rr_plan,)
        await work.submit(first, FIX)
        promoted = await work.promote(first)
        assert rr_plans_touched(promoted) == (first.rr_plan,)
        revision_2 = await work.rebase(second)
        touched = rr_plans_touched(revision_2)
        assert touched == (revision_2.rr_plan, second.rr_plan)
        await work.sync(*touched)
        assert header(work, second.rr_plan)["status"] == "OBSOLETE_SUPERSEDED"
        assert rr_plans_touched(await work.revert(1)) == ()


@asynchronous
async def test_nothing_but_canonical_is_written_for_no_rr_plan(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        await work.open("F1")
        report = await sync(work.open_plan, work.root, PLAN, ())
        assert report.written == [
            "EP-42/canonical_blueprint.yaml",
            "EP-42/canonical_blueprint.json",
        ]


@asynchronous
async def test_a_fork_is_read_back(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        with pytest.raises(ConfigError, match="No such file"):
            read_fork(work.root, rr.rr_plan)
        assert not work.root.exists()
        await work.sync()
        work.fork(rr).write_bytes(EDIT)
        assert read_fork(work.root, rr.rr_plan) == EDIT
        work.fork(rr).write_bytes(b"x" * 1_048_577)
        with pytest.raises(InvalidBlueprint, match="more than 1048576"):
            read_fork(work.root, rr.rr_plan)
        work.fork(rr).unlink()
        with pytest.raises(NotFound, match="bps sync"):
            read_fork(work.root, rr.rr_plan)
        work.fork(rr).symlink_to("/etc/hostname")
        with pytest.raises(UnsafePath):
            read_fork(work.root, rr.rr_plan)
        with pytest.raises(InvalidId):
            read_fork(work.root, "../../etc/passwd")


@asynchronous
async def test_many_rr_plans_are_paged(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        opened = [await work.open(f"F{n}") for n in range(70)]
        report = await work.sync()
        assert len(report.written) == 2 + 2 * 70
        assert all(work.fork(rr).read_bytes() == BASE for rr in opened)


@asynchronous
async def test_all_is_read_at_one_revision(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        page = work.store.page
        promoted: list[str] = []

        async def promote_first(*args: bytes, **options: int) -> object:
            if not promoted:
                promoted.append(rr.rr_plan)
                await work.submit(rr, FIX)
                await work.promote(rr)
            return await page(*args, **options)  # type: ignore[arg-type]

        work.store.page = promote_first  # type: ignore[method-assign, assignment]
        await work.sync()
        assert promoted
        assert canonical(work)["version"] == "1"
        assert header(work, rr.rr_plan)["status"] == "OPEN"
        await work.sync()
        assert canonical(work)["version"] == "2"
        assert header(work, rr.rr_plan)["status"] == "PROMOTED"
